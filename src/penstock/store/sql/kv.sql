-- name: get
-- A value that has not expired.
SELECT namespace, key, value, expires_at, version, changed_at FROM kv
WHERE namespace = :namespace AND key = :key AND (expires_at IS NULL OR expires_at > :now)

-- name: set
-- A value, new or changed.
INSERT INTO kv (namespace, key, value, expires_at, version, changed_at)
VALUES (:namespace, :key, :value, :expires_at, 1, :now)
ON CONFLICT (namespace, key) DO UPDATE
SET value = excluded.value, expires_at = excluded.expires_at, version = kv.version + 1, changed_at = excluded.changed_at
RETURNING version

-- name: set_new
-- A value where there is none, or one that has expired.
INSERT INTO kv (namespace, key, value, expires_at, version, changed_at)
VALUES (:namespace, :key, :value, :expires_at, 1, :now)
ON CONFLICT (namespace, key) DO UPDATE
SET value = excluded.value, expires_at = excluded.expires_at, version = kv.version + 1, changed_at = excluded.changed_at
WHERE kv.expires_at IS NOT NULL AND kv.expires_at <= :now
RETURNING version

-- name: delete
-- A value is gone.
DELETE FROM kv WHERE namespace = :namespace AND key = :key AND (expires_at IS NULL OR expires_at > :now)

-- name: list
-- Values of a namespace that have not expired.
SELECT namespace, key, value, expires_at, version, changed_at FROM kv
WHERE namespace = :namespace AND key LIKE :prefix ESCAPE '\' AND (expires_at IS NULL OR expires_at > :now)
ORDER BY key

-- name: page
-- Values of a namespace behind a key that have not expired.
SELECT namespace, key, value, expires_at, version, changed_at FROM kv
WHERE namespace = :namespace AND key > :after AND key LIKE :prefix ESCAPE '\'
      AND (expires_at IS NULL OR expires_at > :now)
ORDER BY key LIMIT :limit

-- name: expire
-- Values past their day are removed.
DELETE FROM kv WHERE expires_at <= :now
