-- name: head
-- A flow's newest revision, deleted or not; two pushes of one flow come one after the other.
SELECT f.revision, r.digest, f.deleted FROM flows AS f
JOIN revisions AS r ON r.namespace = f.namespace AND r.id = f.id AND r.revision = f.revision
WHERE f.namespace = :namespace AND f.id = :id FOR UPDATE OF f

-- name: any+scope
-- In one of these namespaces or below it.
EXISTS (SELECT 1 FROM jsonb_array_elements_text(:scope::jsonb) AS top WHERE f.namespace = top
        OR starts_with(f.namespace, top || '.'))

-- name: page
-- Flows behind a place, in the order of their names, with who made their newest revisions, and their labels.
SELECT f.namespace, f.id, f.revision, f.changed_at, r.created_by, COALESCE(r.labels, r.model::json ->> 'labels', '{}') FROM flows AS f
JOIN revisions AS r ON r.namespace = f.namespace AND r.id = f.id AND r.revision = f.revision
WHERE f.deleted = 0 AND (f.namespace > :after OR (f.namespace = :after AND f.id > :after_id)) /*and*/
ORDER BY f.namespace, f.id LIMIT :limit

-- name: page+labels
-- Has every one of these labels, with these values.
COALESCE(r.labels, r.model::json ->> 'labels', '{}')::jsonb @> :labels::jsonb
