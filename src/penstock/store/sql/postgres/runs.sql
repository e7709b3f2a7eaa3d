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

-- name: list_among
-- Runs of some namespaces, newest first, from a cursor on: the newest of each, and of those the newest.
SELECT r.body FROM jsonb_array_elements_text(:places::jsonb) AS place CROSS JOIN LATERAL (
    SELECT id, body FROM runs WHERE namespace = place AND id < :before /*and*/
    ORDER BY id DESC LIMIT :limit) AS r
ORDER BY r.id DESC LIMIT :limit

-- name: oldest_among
-- Runs of some namespaces, oldest first, from a cursor on.
SELECT r.body FROM jsonb_array_elements_text(:places::jsonb) AS place CROSS JOIN LATERAL (
    SELECT id, body FROM runs WHERE namespace = place AND id > :before /*and*/
    ORDER BY id LIMIT :limit) AS r
ORDER BY r.id LIMIT :limit
