-- Rows of the audit in some namespaces, as PostgreSQL finds them.

-- name: any+scope
-- In one of these namespaces or below it.
EXISTS (SELECT 1 FROM jsonb_array_elements_text(:scope::jsonb) AS top WHERE namespace = top
        OR starts_with(namespace, top || '.'))
