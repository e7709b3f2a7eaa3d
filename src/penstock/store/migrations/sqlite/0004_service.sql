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
