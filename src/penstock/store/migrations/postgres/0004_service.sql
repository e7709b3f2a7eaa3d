-- What a service for years needs. It only adds.
-- Runs with: 3

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
