-- name: append
-- Something has a new version.
INSERT INTO changes (what, key, version, at) VALUES (:what, :key, :version, :at)

-- name: read_after
-- Rows of the feed from a position on.
SELECT id, what, key, version, at FROM changes WHERE id > :after ORDER BY id LIMIT :limit

-- name: read_ids
-- Rows of the feed that an earlier look missed.
SELECT id, what, key, version, at FROM changes WHERE id IN :ids[] ORDER BY id

-- name: floor
-- The oldest row that is kept.
SELECT min(id) FROM changes

-- name: head
-- The newest row.
SELECT max(id) FROM changes
