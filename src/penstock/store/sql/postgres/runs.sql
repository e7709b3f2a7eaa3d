-- name: any+labels
-- Has every one of these labels, with these values.
labels::jsonb @> :labels::jsonb

-- name: lock
-- The version, when nobody else has the run; a foreign key's check does not wait for this lock.
SELECT version FROM runs WHERE id = :id FOR NO KEY UPDATE SKIP LOCKED

-- name: any+scope
-- In one of these namespaces or below it.
EXISTS (SELECT 1 FROM jsonb_array_elements_text(:scope::jsonb) AS top WHERE namespace = top
        OR starts_with(namespace, top || '.'))
