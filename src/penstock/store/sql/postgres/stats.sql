-- What PostgreSQL says in words of its own when runs are counted.

-- name: hold
-- Only one sums up at a time; who comes second leaves it at that.
SELECT 1 FROM positions WHERE name = :name FOR UPDATE SKIP LOCKED

-- name: any+scope
-- In one of these namespaces or below it.
EXISTS (SELECT 1 FROM jsonb_array_elements_text(:scope::jsonb) AS top WHERE namespace = top
        OR starts_with(namespace, top || '.'))
