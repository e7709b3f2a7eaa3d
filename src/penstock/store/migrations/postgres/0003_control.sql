-- What the control plane keeps: who leads, and what starts runs by itself.

CREATE TABLE leaders (
    name TEXT COLLATE "C" PRIMARY KEY,
    holder TEXT NOT NULL,
    fence BIGINT NOT NULL,
    until BIGINT NOT NULL
);

-- One row for each trigger of a flow's newest revision: when it is looked at next (nothing: not by time), the date it
-- fired for last, the run that must end before it fires again, who switched it off, and what else it knows.
CREATE TABLE triggers (
    key TEXT COLLATE "C" PRIMARY KEY,
    namespace TEXT COLLATE "C" NOT NULL,
    flow TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('schedule', 'interval', 'rule', 'dates', 'webhook', 'runs', 'polling',
        'listening')),
    digest TEXT NOT NULL,
    next_at BIGINT,
    last_at BIGINT,
    holds TEXT COLLATE "C" NOT NULL,
    off_by TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX triggers_by_time ON triggers (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX triggers_by_flow ON triggers (namespace, flow);
CREATE INDEX triggers_by_kind ON triggers (kind) WHERE kind IN ('webhook', 'runs', 'polling', 'listening');

-- How far somebody has read who reads the feed for good.
CREATE TABLE positions (
    name TEXT COLLATE "C" PRIMARY KEY,
    body TEXT NOT NULL
);

-- Runs for a span of dates or a list of input sets, at most so many at once; an item for each.
CREATE TABLE backfills (
    id TEXT COLLATE "C" PRIMARY KEY,
    namespace TEXT COLLATE "C" NOT NULL,
    flow TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'paused', 'cancelled', 'done')),
    at_once BIGINT NOT NULL,
    total BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    ended_at BIGINT,
    body TEXT NOT NULL
);
CREATE INDEX backfills_by_flow ON backfills (namespace, flow, id);
CREATE INDEX backfills_at_work ON backfills (id) WHERE status <> 'done';
CREATE TABLE backfill_items (
    backfill TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'going', 'success', 'failed', 'left')),
    tries BIGINT NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (backfill, number)
);
CREATE INDEX backfill_items_by_status ON backfill_items (backfill, status, number);

-- People and programs that may ask for something; `password` is an Argon2id hash, empty where none was set.
CREATE TABLE people (
    name TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('user', 'service')),
    password TEXT NOT NULL,
    disabled BIGINT NOT NULL CHECK (disabled IN (0, 1)),
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE TABLE roles (
    name TEXT COLLATE "C" PRIMARY KEY,
    actions TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE TABLE grants (
    person TEXT COLLATE "C" NOT NULL,
    namespace TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    granted_at BIGINT NOT NULL,
    granted_by TEXT NOT NULL,
    PRIMARY KEY (person, namespace, role)
);

-- Sessions, tokens and invitations are found by the SHA-256 hash of their secret, which itself is kept nowhere.
CREATE TABLE sessions (
    hash TEXT COLLATE "C" PRIMARY KEY,
    person TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    origin TEXT NOT NULL
);
CREATE INDEX sessions_by_person ON sessions (person);

CREATE TABLE tokens (
    hash TEXT COLLATE "C" PRIMARY KEY,
    prefix TEXT COLLATE "C" NOT NULL UNIQUE,
    person TEXT COLLATE "C" NOT NULL,
    label TEXT NOT NULL,
    narrowed TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT
);
CREATE INDEX tokens_by_person ON tokens (person);

CREATE TABLE invitations (
    hash TEXT COLLATE "C" PRIMARY KEY,
    person TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Logins that failed, by user (user:ann) and by address (from:10.0.0.7): nothing is tried before `until`.
CREATE TABLE wrong_logins (
    what TEXT COLLATE "C" PRIMARY KEY,
    count BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    until BIGINT NOT NULL
);

-- What was done, by whom: rows are written into `audit_open` with what they tell of, and moved, many at once, into
-- `audit`, where each has its place in a seal; a seal holds the hashes of its rows and the hash of the seal before it.
CREATE TABLE audit_open (
    id TEXT COLLATE "C" PRIMARY KEY,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    kind TEXT NOT NULL,
    via TEXT NOT NULL,
    origin TEXT NOT NULL,
    action TEXT NOT NULL,
    verb TEXT NOT NULL,
    object TEXT NOT NULL,
    namespace TEXT COLLATE "C" NOT NULL,
    detail TEXT NOT NULL
);

CREATE TABLE audit (
    seal BIGINT NOT NULL,
    place BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    who TEXT NOT NULL,
    kind TEXT NOT NULL,
    via TEXT NOT NULL,
    origin TEXT NOT NULL,
    action TEXT NOT NULL,
    verb TEXT NOT NULL,
    object TEXT NOT NULL,
    namespace TEXT COLLATE "C" NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (seal, place)
);
CREATE INDEX audit_by_who ON audit (who, id);
CREATE INDEX audit_by_verb ON audit (verb, id);

CREATE TABLE audit_seals (
    number BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    hashes TEXT NOT NULL,
    before TEXT NOT NULL,
    hash TEXT NOT NULL
);

-- Logs are read in the order written, from a place on.
CREATE INDEX log_chunks_in_order ON log_chunks (run_id, first_at, step, attempt, seq);

-- Who somebody is to a provider of logins.
CREATE TABLE identities (
    issuer TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (issuer, subject)
);

-- Logins that were sent to a provider and have not come back: found by the hash of what the browser keeps meanwhile.
CREATE TABLE sent_logins (
    hash TEXT COLLATE "C" PRIMARY KEY,
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Secrets: every version that a name had, with who changed it and when. The newest alone holds the sealed text; where
-- that is empty, too, the secret was deleted. Each is sealed by a data key of its namespace, and those by a master key,
-- which is not kept here.
CREATE TABLE secrets (
    namespace TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    data_key BIGINT NOT NULL,
    sealed TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (namespace, name, version)
);
CREATE INDEX secrets_that_stand ON secrets (namespace, name) WHERE sealed <> '';
CREATE TABLE secret_keys (
    namespace TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    master TEXT NOT NULL,
    wrapped TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (namespace, number)
);

-- The newest runs of a namespace, however few those are among all.
CREATE INDEX runs_by_namespace ON runs (namespace, id);

-- Namespaces in which, and below which, no run begins for now; an empty one is everywhere.
CREATE TABLE maintenance (
    namespace TEXT COLLATE "C" PRIMARY KEY,
    since BIGINT NOT NULL,
    by_whom TEXT NOT NULL,
    reason TEXT NOT NULL
);

-- What people want to be told of: what is watched where, and the flow whose run tells. And what was told and is not over.
CREATE TABLE alerts (
    id TEXT COLLATE "C" PRIMARY KEY,
    namespace TEXT COLLATE "C" NOT NULL,
    watches TEXT NOT NULL CHECK (watches IN ('failed', 'late', 'behind')),
    patience BIGINT NOT NULL,
    tells_namespace TEXT COLLATE "C" NOT NULL,
    tells TEXT COLLATE "C" NOT NULL,
    made_at BIGINT NOT NULL,
    made_by TEXT NOT NULL
);
CREATE TABLE alerts_open (
    alert TEXT COLLATE "C" NOT NULL,
    object TEXT COLLATE "C" NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (alert, object)
);
