-- name: get
-- What stands at a path, or stood there last.
SELECT namespace, path, kind, revision, uri, size, digest, changed_at, changed_by FROM namespace_files
WHERE namespace = :namespace AND path = :path

-- name: page
-- Files and folders of a namespace between two paths, by path.
SELECT namespace, path, kind, revision, uri, size, digest, changed_at, changed_by FROM namespace_files
WHERE namespace = :namespace AND path > :after AND path >= :first AND path < :last AND kind <> 'gone'
ORDER BY path LIMIT :limit

-- name: put
-- What stands at a path now; its revision grows.
INSERT INTO namespace_files (namespace, path, kind, revision, uri, size, digest, changed_at, changed_by)
VALUES (:namespace, :path, :kind, 1, :uri, :size, :digest, :changed_at, :changed_by)
ON CONFLICT (namespace, path) DO UPDATE
SET kind = excluded.kind, revision = namespace_files.revision + 1, uri = excluded.uri, size = excluded.size,
    digest = excluded.digest, changed_at = excluded.changed_at, changed_by = excluded.changed_by
RETURNING revision

-- name: note
-- A revision, for the history.
INSERT INTO namespace_file_revisions
    (namespace, path, revision, kind, uri, size, digest, changed_at, changed_by)
VALUES (:namespace, :path, :revision, :kind, :uri, :size, :digest, :changed_at, :changed_by)

-- name: revisions
-- The history of a path, newest first.
SELECT namespace, path, kind, revision, uri, size, digest, changed_at, changed_by FROM namespace_file_revisions
WHERE namespace = :namespace AND path = :path AND revision < :before
ORDER BY revision DESC LIMIT :limit

-- name: trim
-- Old revisions of a path are forgotten.
DELETE FROM namespace_file_revisions WHERE namespace = :namespace AND path = :path AND revision <= :until
RETURNING uri

-- name: long_gone
-- Paths where nothing has stood since an instant.
SELECT namespace, path, kind, revision, uri, size, digest, changed_at, changed_by FROM namespace_files
WHERE kind = 'gone' AND changed_at < :before LIMIT :limit

-- name: forget
-- A path where nothing stands, as long as it is as it was.
DELETE FROM namespace_files
WHERE namespace = :namespace AND path = :path AND kind = 'gone' AND revision = :revision

-- name: addresses
-- Where the bytes of all revisions are.
SELECT uri FROM namespace_file_revisions WHERE uri <> ''
