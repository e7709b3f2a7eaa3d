-- The whole schema as the migrations leave it; a fresh database starts from here. A test compares the two.

CREATE TABLE schema_migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT;

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    flow TEXT NOT NULL,
    revision INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'paused', 'killing', 'retrying', 'success', 'warning',
        'failed', 'killed', 'cancelled', 'retried')),
    priority INTEGER NOT NULL,
    parent TEXT,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    idempotency_key TEXT,
    owner TEXT NOT NULL,
    labels TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX runs_by_key ON runs (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX runs_by_parent ON runs (parent, id) WHERE parent IS NOT NULL;
CREATE INDEX runs_by_owner ON runs (owner) WHERE owner <> '' AND ended_at IS NULL;
CREATE INDEX runs_by_flow ON runs (namespace, flow, id);
CREATE INDEX runs_by_status ON runs (status, id);
CREATE INDEX runs_by_end ON runs (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE steps (
    run_id TEXT NOT NULL,
    key TEXT NOT NULL,
    node TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'queued', 'running', 'retrying', 'snoozed', 'paused', 'success',
        'warning', 'failed', 'skipped', 'killed', 'cancelled')),
    attempt INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;
-- A step outside loops has its node's id as key; only the others need another way in.
CREATE INDEX steps_in_loops ON steps (run_id, node) WHERE key <> node;

-- The number of a ready row becomes the fence of its claim, so it is never used again.
CREATE TABLE ready_attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    work TEXT NOT NULL CHECK (work IN ('task', 'evaluate', 'open', 'close')),
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    owner TEXT NOT NULL,
    at INTEGER NOT NULL,
    lane TEXT NOT NULL,
    place INTEGER NOT NULL,
    UNIQUE (run_id, step, attempt)
) STRICT;
CREATE INDEX ready_in_order ON ready_attempts (queue, owner, priority DESC, place, id);
CREATE INDEX ready_by_lane ON ready_attempts (queue, owner, priority, lane, place);

-- Two attempts of one step may overlap: one that still runs after its run has ended, and one of a restart.
CREATE TABLE claimed_attempts (
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    work TEXT NOT NULL CHECK (work IN ('task', 'evaluate', 'open', 'close')),
    worker TEXT NOT NULL,
    fence INTEGER NOT NULL,
    claimed_at INTEGER NOT NULL,
    killing TEXT CHECK (killing IN ('graceful', 'force')),
    priority INTEGER NOT NULL,
    queue TEXT NOT NULL,
    owner TEXT NOT NULL,
    lane TEXT NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (run_id, step, attempt)
) STRICT, WITHOUT ROWID;

-- Limits of attempts besides those of runs: who waits has a row for each limit that it wants (a run: step '', attempt
-- 0); `count` is nothing for a pool, `span` the microseconds in which a rate allows `count` starts.
CREATE TABLE blocked_attempts (
    limit_name TEXT NOT NULL,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    count INTEGER,
    span INTEGER,
    weight INTEGER NOT NULL,
    when_full TEXT NOT NULL CHECK (when_full IN ('queue', 'cancel', 'fail')),
    priority INTEGER NOT NULL,
    lane TEXT NOT NULL,
    place INTEGER NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (run_id, step, attempt, limit_name)
) STRICT, WITHOUT ROWID;
CREATE INDEX blocked_in_order ON blocked_attempts (limit_name, priority DESC, place, since, run_id, step);
CREATE INDEX blocked_by_lane ON blocked_attempts (limit_name, priority, lane, place);
CREATE INDEX blocked_impatient ON blocked_attempts (limit_name) WHERE when_full <> 'queue';

CREATE TABLE limits (
    name TEXT PRIMARY KEY,
    free_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX limits_to_free ON limits (free_at) WHERE free_at IS NOT NULL;

CREATE TABLE admitted (
    limit_name TEXT NOT NULL,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    lane TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (limit_name, run_id, step, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX admitted_by_run ON admitted (run_id, step, attempt);

-- What a rate counts: starts, on the clock of leases, as long as its window is open.
CREATE TABLE limit_starts (
    limit_name TEXT NOT NULL,
    at INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (limit_name, at, run_id, step, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE pools (
    name TEXT PRIMARY KEY,
    slots INTEGER NOT NULL CHECK (slots >= 0),
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE due (
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    timer TEXT NOT NULL CHECK (timer IN ('retry', 'snooze', 'step_timeout', 'run_timeout', 'next', 'pause', 'sla',
        'begin')),
    at INTEGER NOT NULL,
    PRIMARY KEY (run_id, step, attempt, timer)
) STRICT, WITHOUT ROWID;
CREATE INDEX due_in_order ON due (at);

CREATE TABLE inbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (run_id, step, attempt, kind)
) STRICT;

CREATE TABLE workers (
    id TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    boot TEXT NOT NULL,
    pid INTEGER NOT NULL,
    lock_path TEXT NOT NULL,
    beat_at INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'draining')),
    capacity INTEGER NOT NULL,
    version TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    queues TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    body TEXT NOT NULL,
    at INTEGER NOT NULL,
    accepted INTEGER NOT NULL CHECK (accepted IN (0, 1)),
    worker TEXT NOT NULL,
    fence INTEGER NOT NULL
) STRICT;
CREATE INDEX events_by_step ON events (run_id, step);

CREATE TABLE attempts (
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    number INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('done', 'warning', 'failed', 'skipped', 'snoozed', 'killed', 'lost')),
    state TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (run_id, step, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE outputs (
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    node TEXT NOT NULL,
    body TEXT,
    uri TEXT,
    size INTEGER NOT NULL,
    PRIMARY KEY (run_id, step, attempt),
    CHECK ((body IS NULL) <> (uri IS NULL))
) STRICT;
CREATE INDEX outputs_in_loops ON outputs (run_id, node) WHERE step <> node;

CREATE TABLE loop_values (
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    chunk INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run_id, step, chunk)
) STRICT;

CREATE TABLE metrics (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('counter', 'gauge', 'timer')),
    value REAL NOT NULL,
    unit TEXT NOT NULL,
    tags TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX metrics_by_step ON metrics (run_id, step);

CREATE TABLE flows (
    namespace TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (namespace, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE revisions (
    namespace TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    dialect TEXT NOT NULL,
    digest TEXT NOT NULL,
    source TEXT NOT NULL,
    model TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (namespace, id, revision)
) STRICT;

CREATE TABLE kv (
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    expires_at INTEGER,
    version INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (namespace, key)
) STRICT;
CREATE INDEX kv_by_expiry ON kv (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    what TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE cached_results (
    key TEXT PRIMARY KEY,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    body TEXT NOT NULL,
    uri TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX cached_by_run ON cached_results (run_id);
CREATE INDEX cached_by_expiry ON cached_results (expires_at) WHERE expires_at IS NOT NULL;

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

-- Files of namespaces: what stands at each path, and the revisions before. A folder that was made by itself ends with
-- a slash; where something was deleted, nothing stands any more, and its revisions go on.
CREATE TABLE namespace_files (
    namespace TEXT NOT NULL,
    path TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('file', 'folder', 'gone')),
    revision INTEGER NOT NULL,
    uri TEXT NOT NULL,
    size INTEGER NOT NULL,
    digest TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (namespace, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX namespace_files_gone ON namespace_files (changed_at) WHERE kind = 'gone';
CREATE TABLE namespace_file_revisions (
    namespace TEXT NOT NULL,
    path TEXT NOT NULL,
    revision INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('file', 'folder', 'gone')),
    uri TEXT NOT NULL,
    size INTEGER NOT NULL,
    digest TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (namespace, path, revision)
) STRICT, WITHOUT ROWID;

-- Branches that are the source of flows and files: which commit was looked at and which one stands here, what was wrong
-- with the newest (empty: nothing), and since when somebody wants it looked at anew.
CREATE TABLE git_sources (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    looked_commit TEXT NOT NULL,
    looked_at INTEGER NOT NULL,
    applied_commit TEXT NOT NULL,
    applied_at INTEGER NOT NULL,
    problems TEXT NOT NULL,
    wanted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- What a branch has brought and may take away again: flows by namespace and id, files by namespace and path.
CREATE TABLE git_held (
    source TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('flow', 'file')),
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (source, kind, namespace, name)
) STRICT, WITHOUT ROWID;

-- The oldest version of the schema whose Penstock goes on working after a migration; nothing: only one that knows it.
ALTER TABLE schema_migrations ADD COLUMN oldest INTEGER;

-- Keys that seal what people give to runs as inputs of type SECRET, wrapped by a master key. None is ever dropped, since
-- runs are kept; a rotation wraps them anew, and begins the next one.
CREATE TABLE input_keys (
    number INTEGER PRIMARY KEY,
    master TEXT NOT NULL,
    wrapped TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;

-- How many runs of a flow ended how, and how long they took, by the day on which they were created. What ends is added
-- to the first as it ends (and taken away where it goes on after all), and summed up into the second, many at once.
CREATE TABLE run_ends (
    id INTEGER PRIMARY KEY,
    day INTEGER NOT NULL,
    namespace TEXT NOT NULL,
    flow TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('success', 'warning', 'failed', 'killed', 'cancelled', 'retried')),
    length INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    took INTEGER NOT NULL
) STRICT;
CREATE TABLE run_days (
    namespace TEXT NOT NULL,
    flow TEXT NOT NULL,
    day INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('success', 'warning', 'failed', 'killed', 'cancelled', 'retried')),
    length INTEGER NOT NULL,
    runs INTEGER NOT NULL,
    took INTEGER NOT NULL,
    PRIMARY KEY (namespace, flow, day, status, length)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_days_by_day ON run_days (day);

-- What people want to be told of, every kind of it (`alerts` has what servers of the version before look at, too): by a
-- run of a flow, or by a call of the address `url` that the leading server makes. And the calls that are still to be
-- made: what is said, since when, how often that was tried, when it is tried next.
CREATE TABLE alert_rules (
    id TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    watches TEXT NOT NULL,
    patience INTEGER NOT NULL,
    tells_namespace TEXT NOT NULL,
    tells TEXT NOT NULL,
    url TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    made_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE alert_calls (
    id TEXT PRIMARY KEY,
    alert TEXT NOT NULL,
    body TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    next_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_calls_in_order ON alert_calls (next_at);

-- What lists of flows show and are asked by; nothing where an older Penstock wrote the revision: then the model tells.
ALTER TABLE revisions ADD COLUMN labels TEXT;
