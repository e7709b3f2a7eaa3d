-- name: any+scope
-- In one of these namespaces or below it.
EXISTS (SELECT 1 FROM json_each(:scope) AS top WHERE f.namespace = top.value
        OR substr(f.namespace, 1, length(top.value) + 1) = top.value || '.')

-- name: page
-- Flows behind a place, in the order of their names, with who made their newest revisions, and their labels.
SELECT f.namespace, f.id, f.revision, f.changed_at, r.created_by, COALESCE(r.labels, json_extract(r.model, '$.labels'), '{}') FROM flows AS f
JOIN revisions AS r ON r.namespace = f.namespace AND r.id = f.id AND r.revision = f.revision
WHERE f.deleted = 0 AND (f.namespace > :after OR (f.namespace = :after AND f.id > :after_id)) /*and*/
ORDER BY f.namespace, f.id LIMIT :limit

-- name: page+labels
-- Has every one of these labels, with these values.
NOT EXISTS (SELECT 1 FROM json_each(:labels) AS want WHERE NOT EXISTS (
    SELECT 1 FROM json_each(COALESCE(r.labels, json_extract(r.model, '$.labels'), '{}')) AS has
    WHERE has.key = want.key AND has.value = want.value))
