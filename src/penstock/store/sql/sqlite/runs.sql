-- name: any+labels
-- Has every one of these labels, with these values.
NOT EXISTS (SELECT 1 FROM json_each(:labels) AS want WHERE NOT EXISTS (
    SELECT 1 FROM json_each(runs.labels) AS has WHERE has.key = want.key AND has.value = want.value))

-- name: any+scope
-- In one of these namespaces or below it.
EXISTS (SELECT 1 FROM json_each(:scope) AS top WHERE runs.namespace = top.value
        OR substr(runs.namespace, 1, length(top.value) + 1) = top.value || '.')

-- name: list_among
-- Runs of some namespaces, newest first, from a cursor on: the newest of each, and of those the newest.
SELECT r.body FROM json_each(:places) AS place JOIN runs AS r ON r.id IN (
    SELECT id FROM runs WHERE namespace = place.value AND id < :before /*and*/
    ORDER BY id DESC LIMIT :limit)
ORDER BY r.id DESC LIMIT :limit

-- name: oldest_among
-- Runs of some namespaces, oldest first, from a cursor on.
SELECT r.body FROM json_each(:places) AS place JOIN runs AS r ON r.id IN (
    SELECT id FROM runs WHERE namespace = place.value AND id > :before /*and*/
    ORDER BY id LIMIT :limit)
ORDER BY r.id LIMIT :limit
