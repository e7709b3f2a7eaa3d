-- name: newest_version
-- How many versions a name has had.
SELECT COALESCE(MAX(version), 0) FROM secrets WHERE namespace = :namespace AND name = :name

-- name: add
-- A new version; nothing is written where somebody was faster.
INSERT INTO secrets (namespace, name, version, data_key, sealed, changed_at, changed_by)
VALUES (:namespace, :name, :version, :data_key, :sealed, :changed_at, :changed_by)
ON CONFLICT (namespace, name, version) DO NOTHING

-- name: empty
-- Of earlier versions nothing is kept but that they were.
UPDATE secrets SET sealed = '' WHERE namespace = :namespace AND name = :name AND version < :version AND sealed <> ''

-- name: sealed
-- A name in one of these namespaces, with what wraps the key that it is sealed by.
SELECT s.namespace, s.name, s.version, s.sealed, k.number, k.master, k.wrapped
FROM secrets AS s JOIN secret_keys AS k ON k.namespace = s.namespace AND k.number = s.data_key
WHERE s.namespace IN :namespaces[] AND s.name = :name AND s.sealed <> ''

-- name: all_sealed
-- Every secret, likewise; without a key's row where that is lost.
SELECT s.namespace, s.name, s.version, s.sealed, COALESCE(k.number, 0), COALESCE(k.master, ''), COALESCE(k.wrapped, '')
FROM secrets AS s LEFT JOIN secret_keys AS k ON k.namespace = s.namespace AND k.number = s.data_key
WHERE s.sealed <> '' ORDER BY s.namespace, s.name

-- name: reseal
-- The same version, sealed by another key.
UPDATE secrets SET sealed = :sealed, data_key = :data_key
WHERE namespace = :namespace AND name = :name AND version = :version

-- name: page
-- Names of a namespace behind one, with their newest version.
SELECT namespace, name, version, changed_at, changed_by FROM secrets
WHERE namespace = :namespace AND name > :after AND sealed <> '' ORDER BY name LIMIT :limit

-- name: every
-- Every name, with its newest version.
SELECT namespace, name, version, changed_at, changed_by FROM secrets WHERE sealed <> '' ORDER BY namespace, name

-- name: keys
-- The data keys, each as it is wrapped.
SELECT namespace, number, master, wrapped FROM secret_keys ORDER BY namespace, number

-- name: locked_keys
-- The same, theirs alone who asks until the transaction ends.
SELECT namespace, number, master, wrapped FROM secret_keys ORDER BY namespace, number

-- name: key_in_use
-- The newest data key of a namespace, which stays until the transaction ends.
SELECT namespace, number, master, wrapped FROM secret_keys
WHERE namespace = :namespace ORDER BY number DESC LIMIT 1

-- name: add_key
-- A data key; nothing is written where somebody was faster.
INSERT INTO secret_keys (namespace, number, master, wrapped, made_at)
VALUES (:namespace, :number, :master, :wrapped, :made_at)
ON CONFLICT (namespace, number) DO NOTHING

-- name: drop_key
-- A data key that seals nothing any more.
DELETE FROM secret_keys WHERE namespace = :namespace AND number = :number

-- name: input_keys
-- The keys that seal inputs, each as it is wrapped, the newest first.
SELECT number, master, wrapped FROM input_keys ORDER BY number DESC

-- name: input_key
-- One of them.
SELECT number, master, wrapped FROM input_keys WHERE number = :number

-- name: newest_input_key
-- The one that seals what is new.
SELECT number, master, wrapped FROM input_keys ORDER BY number DESC LIMIT 1

-- name: add_input_key
-- A further one; nothing is written where somebody was faster.
INSERT INTO input_keys (number, master, wrapped, made_at) VALUES (:number, :master, :wrapped, :made_at)
ON CONFLICT (number) DO NOTHING

-- name: wrap_input_key
-- The same key, wrapped by another master key.
UPDATE input_keys SET master = :master, wrapped = :wrapped WHERE number = :number
