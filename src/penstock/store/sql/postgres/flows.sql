-- name: head
-- A flow's newest revision, deleted or not; two pushes of one flow come one after the other.
SELECT f.revision, r.digest, f.deleted FROM flows AS f
JOIN revisions AS r ON r.namespace = f.namespace AND r.id = f.id AND r.revision = f.revision
WHERE f.namespace = :namespace AND f.id = :id FOR UPDATE OF f

-- name: any+scope
-- In one of these namespaces or below it.
EXISTS (SELECT 1 FROM jsonb_array_elements_text(:scope::jsonb) AS top WHERE f.namespace = top
        OR starts_with(f.namespace, top || '.'))
