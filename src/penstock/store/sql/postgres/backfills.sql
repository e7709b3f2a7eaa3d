-- name: list+scope
-- In one of these namespaces or below it.
EXISTS (SELECT 1 FROM jsonb_array_elements_text(:scope::jsonb) AS top WHERE b.namespace = top
        OR starts_with(b.namespace, top || '.'))

-- name: locked
-- A backfill's status, locked until the transaction ends.
SELECT status FROM backfills WHERE id = :id FOR UPDATE
