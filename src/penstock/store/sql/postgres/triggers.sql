-- name: locked
-- These triggers as they are now, locked in one order until the transaction ends.
SELECT key, version FROM triggers WHERE key IN :keys[] ORDER BY key FOR UPDATE

-- name: list+scope
-- In one of these namespaces or below it.
EXISTS (SELECT 1 FROM jsonb_array_elements_text(:scope::jsonb) AS top WHERE t.namespace = top
        OR starts_with(t.namespace, top || '.'))
