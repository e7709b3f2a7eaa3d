-- The whole schema as the migrations leave it; a fresh database starts from here. A test compares the two.
-- Ids sort by time, so history is partitioned by day on them: retention drops a day at once. Ids compare by byte.

CREATE TABLE schema_migrations (
    version BIGINT PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    checksum TEXT NOT NULL,
    applied_at BIGINT NOT NULL
);

CREATE TABLE runs (
    id TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    namespace TEXT COLLATE "C" NOT NULL,
    flow TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'paused', 'killing', 'retrying', 'success', 'warning',
        'failed', 'killed', 'cancelled', 'retried')),
    priority BIGINT NOT NULL,
    parent TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    ended_at BIGINT,
    idempotency_key TEXT COLLATE "C",
    owner TEXT COLLATE "C" NOT NULL,
    labels TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE UNIQUE INDEX runs_by_key ON runs (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX runs_by_parent ON runs (parent, id) WHERE parent IS NOT NULL;
CREATE INDEX runs_by_owner ON runs (owner) WHERE owner <> '' AND ended_at IS NULL;
CREATE INDEX runs_by_flow ON runs (namespace, flow, id);
CREATE INDEX runs_by_status ON runs (status, id);
CREATE INDEX runs_by_end ON runs (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE steps (
    run_id TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'queued', 'running', 'retrying', 'snoozed', 'paused', 'success',
        'warning', 'failed', 'skipped', 'killed', 'cancelled')),
    attempt BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
);
-- A step outside loops has its node's id as key; only the others need another way in.
CREATE INDEX steps_in_loops ON steps (run_id, node) WHERE key <> node;

-- The number of a ready row becomes the fence of its claim, so it is never used again.
CREATE TABLE ready_attempts (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    work TEXT NOT NULL CHECK (work IN ('task', 'evaluate', 'open', 'close')),
    queue TEXT COLLATE "C" NOT NULL,
    priority BIGINT NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    place BIGINT NOT NULL,
    UNIQUE (run_id, step, attempt)
);
CREATE INDEX ready_in_order ON ready_attempts (queue, owner, priority DESC, place, id);
CREATE INDEX ready_by_lane ON ready_attempts (queue, owner, priority, lane, place);

-- Two attempts of one step may overlap: one that still runs after its run has ended, and one of a restart.
CREATE TABLE claimed_attempts (
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    work TEXT NOT NULL CHECK (work IN ('task', 'evaluate', 'open', 'close')),
    worker TEXT COLLATE "C" NOT NULL,
    fence BIGINT NOT NULL,
    claimed_at BIGINT NOT NULL,
    killing TEXT CHECK (killing IN ('graceful', 'force')),
    priority BIGINT NOT NULL,
    queue TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    place BIGINT NOT NULL,
    PRIMARY KEY (run_id, step, attempt)
);

CREATE INDEX claimed_by_worker ON claimed_attempts (worker);

-- Limits of attempts besides those of runs: who waits has a row for each limit that it wants (a run: step '', attempt
-- 0); `count` is nothing for a pool, `span` the microseconds in which a rate allows `count` starts.
CREATE TABLE blocked_attempts (
    limit_name TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    count BIGINT,
    span BIGINT,
    weight BIGINT NOT NULL,
    when_full TEXT NOT NULL CHECK (when_full IN ('queue', 'cancel', 'fail')),
    priority BIGINT NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    place BIGINT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (run_id, step, attempt, limit_name)
);
CREATE INDEX blocked_in_order ON blocked_attempts (limit_name, priority DESC, place, since, run_id, step);
CREATE INDEX blocked_by_lane ON blocked_attempts (limit_name, priority, lane, place);
CREATE INDEX blocked_impatient ON blocked_attempts (limit_name) WHERE when_full <> 'queue';

CREATE TABLE limits (
    name TEXT COLLATE "C" PRIMARY KEY,
    free_at BIGINT
);
CREATE INDEX limits_to_free ON limits (free_at) WHERE free_at IS NOT NULL;

CREATE TABLE admitted (
    limit_name TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    weight BIGINT NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (limit_name, run_id, step, attempt)
);
CREATE INDEX admitted_by_run ON admitted (run_id, step, attempt);

-- What a rate counts: starts, on the clock of leases, as long as its window is open.
CREATE TABLE limit_starts (
    limit_name TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    weight BIGINT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (limit_name, at, run_id, step, attempt)
);

CREATE TABLE pools (
    name TEXT COLLATE "C" PRIMARY KEY,
    slots BIGINT NOT NULL CHECK (slots >= 0),
    changed_at BIGINT NOT NULL
);

CREATE TABLE due (
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    timer TEXT NOT NULL CHECK (timer IN ('retry', 'snooze', 'step_timeout', 'run_timeout', 'next', 'pause', 'sla',
        'begin')),
    at BIGINT NOT NULL,
    PRIMARY KEY (run_id, step, attempt, timer)
);
CREATE INDEX due_in_order ON due (at);

CREATE TABLE inbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    at BIGINT NOT NULL,
    UNIQUE (run_id, step, attempt, kind)
);

CREATE TABLE workers (
    id TEXT COLLATE "C" PRIMARY KEY,
    host TEXT NOT NULL,
    boot TEXT NOT NULL,
    pid BIGINT NOT NULL,
    lock_path TEXT NOT NULL,
    beat_at BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'draining')),
    capacity BIGINT NOT NULL,
    version TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    queues TEXT NOT NULL
);

CREATE SEQUENCE events_id;
CREATE TABLE events (
    id BIGINT NOT NULL DEFAULT nextval('events_id'),
    run_id TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    body TEXT NOT NULL,
    at BIGINT NOT NULL,
    accepted BIGINT NOT NULL CHECK (accepted IN (0, 1)),
    worker TEXT COLLATE "C" NOT NULL,
    fence BIGINT NOT NULL,
    PRIMARY KEY (run_id, id)
) PARTITION BY RANGE (run_id);
ALTER SEQUENCE events_id OWNED BY events.id;
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE INDEX events_by_step ON events (run_id, step);

CREATE TABLE attempts (
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('done', 'warning', 'failed', 'skipped', 'snoozed', 'killed', 'lost')),
    state TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (run_id, step, number)
) PARTITION BY RANGE (run_id);
CREATE TABLE attempts_rest PARTITION OF attempts DEFAULT;

CREATE TABLE outputs (
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    node TEXT COLLATE "C" NOT NULL,
    body TEXT,
    uri TEXT,
    size BIGINT NOT NULL,
    PRIMARY KEY (run_id, step, attempt),
    CHECK ((body IS NULL) <> (uri IS NULL))
) PARTITION BY RANGE (run_id);
CREATE TABLE outputs_rest PARTITION OF outputs DEFAULT;
CREATE INDEX outputs_in_loops ON outputs (run_id, node) WHERE step <> node;

CREATE TABLE loop_values (
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    chunk BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run_id, step, chunk)
);

CREATE SEQUENCE metrics_id;
CREATE TABLE metrics (
    id BIGINT NOT NULL DEFAULT nextval('metrics_id'),
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('counter', 'gauge', 'timer')),
    value DOUBLE PRECISION NOT NULL,
    unit TEXT NOT NULL,
    tags TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (run_id, id)
) PARTITION BY RANGE (run_id);
ALTER SEQUENCE metrics_id OWNED BY metrics.id;
CREATE TABLE metrics_rest PARTITION OF metrics DEFAULT;
CREATE INDEX metrics_by_step ON metrics (run_id, step);

CREATE TABLE flows (
    namespace TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    deleted BIGINT NOT NULL CHECK (deleted IN (0, 1)),
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (namespace, id)
);

CREATE TABLE revisions (
    namespace TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    dialect TEXT NOT NULL,
    digest TEXT NOT NULL,
    source TEXT NOT NULL,
    model TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (namespace, id, revision)
);

CREATE TABLE kv (
    namespace TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    value TEXT NOT NULL,
    expires_at BIGINT,
    version BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (namespace, key)
);
CREATE INDEX kv_by_expiry ON kv (expires_at) WHERE expires_at IS NOT NULL;

CREATE SEQUENCE changes_id;
CREATE TABLE changes (
    id BIGINT NOT NULL DEFAULT nextval('changes_id'),
    what TEXT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
ALTER SEQUENCE changes_id OWNED BY changes.id;
CREATE TABLE changes_rest PARTITION OF changes DEFAULT;

CREATE TABLE log_chunks (
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    start BIGINT NOT NULL,
    length BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    streams BIGINT NOT NULL,
    levels BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (run_id, step, attempt, seq)
) PARTITION BY RANGE (run_id);
-- Bodies are compressed already.
ALTER TABLE log_chunks ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE TABLE log_chunks_rest PARTITION OF log_chunks DEFAULT;

-- Warm rows are rewritten often: room on their pages keeps the new version beside the old one, and out of the indexes.
ALTER TABLE runs SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE steps SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE workers SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100);
-- Hot rows live for moments: dead ones are swept by number, not by share.
ALTER TABLE ready_attempts SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000);
ALTER TABLE claimed_attempts SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 5000);
ALTER TABLE inbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000);
ALTER TABLE due SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000);
ALTER TABLE blocked_attempts SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_cost_delay = 0);
ALTER TABLE admitted SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_cost_delay = 0);
ALTER TABLE limit_starts SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_cost_delay = 0);

CREATE TABLE cached_results (
    key TEXT COLLATE "C" PRIMARY KEY,
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    body TEXT NOT NULL,
    uri TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX cached_by_run ON cached_results (run_id);
CREATE INDEX cached_by_expiry ON cached_results (expires_at) WHERE expires_at IS NOT NULL;

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

-- Files of namespaces: what stands at each path, and the revisions before. A folder that was made by itself ends with
-- a slash; where something was deleted, nothing stands any more, and its revisions go on.
CREATE TABLE namespace_files (
    namespace TEXT COLLATE "C" NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('file', 'folder', 'gone')),
    revision BIGINT NOT NULL,
    uri TEXT NOT NULL,
    size BIGINT NOT NULL,
    digest TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (namespace, path)
);
CREATE INDEX namespace_files_gone ON namespace_files (changed_at) WHERE kind = 'gone';
CREATE TABLE namespace_file_revisions (
    namespace TEXT COLLATE "C" NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('file', 'folder', 'gone')),
    uri TEXT NOT NULL,
    size BIGINT NOT NULL,
    digest TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (namespace, path, revision)
);

-- Branches that are the source of flows and files: which commit was looked at and which one stands here, what was wrong
-- with the newest (empty: nothing), and since when somebody wants it looked at anew.
CREATE TABLE git_sources (
    name TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL,
    looked_commit TEXT NOT NULL,
    looked_at BIGINT NOT NULL,
    applied_commit TEXT NOT NULL,
    applied_at BIGINT NOT NULL,
    problems TEXT NOT NULL,
    wanted_at BIGINT NOT NULL
);
-- What a branch has brought and may take away again: flows by namespace and id, files by namespace and path.
CREATE TABLE git_held (
    source TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('flow', 'file')),
    namespace TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (source, kind, namespace, name)
);

-- The oldest version of the schema whose Penstock goes on working after a migration; nothing: only one that knows it.
ALTER TABLE schema_migrations ADD COLUMN oldest BIGINT;

-- Keys that seal what people give to runs as inputs of type SECRET, wrapped by a master key. None is ever dropped, since
-- runs are kept; a rotation wraps them anew, and begins the next one.
CREATE TABLE input_keys (
    number BIGINT PRIMARY KEY,
    master TEXT NOT NULL,
    wrapped TEXT NOT NULL,
    made_at BIGINT NOT NULL
);

-- How many runs of a flow ended how, and how long they took, by the day on which they were created. What ends is added
-- to the first as it ends (and taken away where it goes on after all), and summed up into the second, many at once.
CREATE TABLE run_ends (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day BIGINT NOT NULL,
    namespace TEXT COLLATE "C" NOT NULL,
    flow TEXT COLLATE "C" NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('success', 'warning', 'failed', 'killed', 'cancelled', 'retried')),
    length BIGINT NOT NULL,
    runs BIGINT NOT NULL,
    took BIGINT NOT NULL
);
CREATE TABLE run_days (
    namespace TEXT COLLATE "C" NOT NULL,
    flow TEXT COLLATE "C" NOT NULL,
    day BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('success', 'warning', 'failed', 'killed', 'cancelled', 'retried')),
    length BIGINT NOT NULL,
    runs BIGINT NOT NULL,
    took BIGINT NOT NULL,
    PRIMARY KEY (namespace, flow, day, status, length)
);
CREATE INDEX run_days_by_day ON run_days (day);
ALTER TABLE run_ends SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0);

-- What people want to be told of, every kind of it (`alerts` has what servers of the version before look at, too): by a
-- run of a flow, or by a call of the address `url` that the leading server makes. And the calls that are still to be
-- made: what is said, since when, how often that was tried, when it is tried next.
CREATE TABLE alert_rules (
    id TEXT COLLATE "C" PRIMARY KEY,
    namespace TEXT COLLATE "C" NOT NULL,
    watches TEXT NOT NULL,
    patience BIGINT NOT NULL,
    tells_namespace TEXT COLLATE "C" NOT NULL,
    tells TEXT COLLATE "C" NOT NULL,
    url TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    made_by TEXT NOT NULL
);
CREATE TABLE alert_calls (
    id TEXT COLLATE "C" PRIMARY KEY,
    alert TEXT COLLATE "C" NOT NULL,
    body TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    next_at BIGINT NOT NULL
);
CREATE INDEX alert_calls_in_order ON alert_calls (next_at);

-- What lists of flows show and are asked by; nothing where an older Penstock wrote the revision: then the model tells.
ALTER TABLE revisions ADD COLUMN labels TEXT;
