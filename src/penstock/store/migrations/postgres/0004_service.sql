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
