-- name: list+labels
-- Has every one of these labels, with these values.
labels::jsonb @> :labels::jsonb

-- name: lock
-- The version, when nobody else has the run; a foreign key's check does not wait for this lock.
SELECT version FROM runs WHERE id = :id FOR NO KEY UPDATE SKIP LOCKED
