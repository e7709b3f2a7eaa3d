-- What a service for years needs. It only adds.
-- Runs with: 3

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
