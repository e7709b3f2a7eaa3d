-- What the control plane keeps: who leads, and what starts runs by itself.

CREATE TABLE leaders (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    fence INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each trigger of a flow's newest revision: when it is looked at next (nothing: not by time), the date it
-- fired for last, the run that must end before it fires again, who switched it off, and what else it knows.
CREATE TABLE triggers (
    key TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    flow TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('schedule', 'interval', 'rule', 'dates', 'webhook', 'runs', 'polling',
        'listening')),
    digest TEXT NOT NULL,
    next_at INTEGER,
    last_at INTEGER,
    holds TEXT NOT NULL,
    off_by TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX triggers_by_time ON triggers (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX triggers_by_flow ON triggers (namespace, flow);
CREATE INDEX triggers_by_kind ON triggers (kind) WHERE kind IN ('webhook', 'runs', 'polling', 'listening');

-- How far somebody has read who reads the feed for good.
CREATE TABLE positions (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Runs for a span of dates or a list of input sets, at most so many at once; an item for each.
CREATE TABLE backfills (
    id TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    flow TEXT NOT NULL,
    revision INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'paused', 'cancelled', 'done')),
    at_once INTEGER NOT NULL,
    total INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    ended_at INTEGER,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX backfills_by_flow ON backfills (namespace, flow, id);
CREATE INDEX backfills_at_work ON backfills (id) WHERE status <> 'done';
CREATE TABLE backfill_items (
    backfill TEXT NOT NULL,
    number INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'going', 'success', 'failed', 'left')),
    tries INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (backfill, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX backfill_items_by_status ON backfill_items (backfill, status, number);

-- People and programs that may ask for something; `password` is an Argon2id hash, empty where none was set.
CREATE TABLE people (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('user', 'service')),
    password TEXT NOT NULL,
    disabled INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE roles (
    name TEXT PRIMARY KEY,
    actions TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
    person TEXT NOT NULL,
    namespace TEXT NOT NULL,
    role TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    granted_by TEXT NOT NULL,
    PRIMARY KEY (person, namespace, role)
) STRICT, WITHOUT ROWID;

-- Sessions, tokens and invitations are found by the SHA-256 hash of their secret, which itself is kept nowhere.
CREATE TABLE sessions (
    hash TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    origin TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_person ON sessions (person);

CREATE TABLE tokens (
    hash TEXT PRIMARY KEY,
    prefix TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL,
    label TEXT NOT NULL,
    narrowed TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER,
    used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_person ON tokens (person);

CREATE TABLE invitations (
    hash TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Logins that failed, by user (user:ann) and by address (from:10.0.0.7): nothing is tried before `until`.
CREATE TABLE wrong_logins (
    what TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was done, by whom: rows are written into `audit_open` with what they tell of, and moved, many at once, into
-- `audit`, where each has its place in a seal; a seal holds the hashes of its rows and the hash of the seal before it.
CREATE TABLE audit_open (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    kind TEXT NOT NULL,
    via TEXT NOT NULL,
    origin TEXT NOT NULL,
    action TEXT NOT NULL,
    verb TEXT NOT NULL,
    object TEXT NOT NULL,
    namespace TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    seal INTEGER NOT NULL,
    place INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    kind TEXT NOT NULL,
    via TEXT NOT NULL,
    origin TEXT NOT NULL,
    action TEXT NOT NULL,
    verb TEXT NOT NULL,
    object TEXT NOT NULL,
    namespace TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (seal, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_by_who ON audit (who, id);
CREATE INDEX audit_by_verb ON audit (verb, id);

CREATE TABLE audit_seals (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    hashes TEXT NOT NULL,
    before TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;

-- Who somebody is to a provider of logins.
CREATE TABLE identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    person TEXT NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;

-- Logins that were sent to a provider and have not come back: found by the hash of what the browser keeps meanwhile.
CREATE TABLE sent_logins (
    hash TEXT PRIMARY KEY,
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Secrets: every version that a name had, with who changed it and when. The newest alone holds the sealed text; where
-- that is empty, too, the secret was deleted. Each is sealed by a data key of its namespace, and those by a master key,
-- which is not kept here.
CREATE TABLE secrets (
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    data_key INTEGER NOT NULL,
    sealed TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (namespace, name, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX secrets_that_stand ON secrets (namespace, name) WHERE sealed <> '';
CREATE TABLE secret_keys (
    namespace TEXT NOT NULL,
    number INTEGER NOT NULL,
    master TEXT NOT NULL,
    wrapped TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (namespace, number)
) STRICT, WITHOUT ROWID;

-- The newest runs of a namespace, however few those are among all.
CREATE INDEX runs_by_namespace ON runs (namespace, id);

-- Namespaces in which, and below which, no run begins for now; an empty one is everywhere.
CREATE TABLE maintenance (
    namespace TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    by_whom TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What people want to be told of: what is watched where, and the flow whose run tells. And what was told and is not over.
CREATE TABLE alerts (
    id TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    watches TEXT NOT NULL CHECK (watches IN ('failed', 'late', 'behind')),
    patience INTEGER NOT NULL,
    tells_namespace TEXT NOT NULL,
    tells TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    made_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE alerts_open (
    alert TEXT NOT NULL,
    object TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (alert, object)
) STRICT, WITHOUT ROWID;
