-- Where does no run begin for now?

-- name: every
-- The namespaces in maintenance.
SELECT namespace, since, by_whom, reason FROM maintenance ORDER BY namespace

-- name: put
-- A namespace is in maintenance; who did it first stays named.
INSERT INTO maintenance (namespace, since, by_whom, reason) VALUES (:namespace, :since, :by_whom, :reason)
ON CONFLICT (namespace) DO NOTHING

-- name: drop
-- A namespace is in maintenance no more.
DELETE FROM maintenance WHERE namespace = :namespace

-- name: put_aside
-- Ready attempts of runs that have not begun, and are no children of others, leave their queues.
UPDATE ready_attempts SET queue = :aside || queue
WHERE queue < :aside
  AND EXISTS (SELECT 1 FROM runs AS r, maintenance AS m
              WHERE r.id = ready_attempts.run_id AND r.parent IS NULL
                AND (m.namespace IN ('', r.namespace)
                     OR substr(r.namespace, 1, length(m.namespace) + 1) = m.namespace || '.'))
  AND NOT EXISTS (SELECT 1 FROM claimed_attempts AS c WHERE c.run_id = ready_attempts.run_id)
  AND NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.run_id = ready_attempts.run_id)

-- name: bring_back
-- What stands aside and is held by nothing any more stands where it stood.
UPDATE ready_attempts SET queue = substr(queue, 2)
WHERE queue >= :aside
  AND NOT EXISTS (SELECT 1 FROM runs AS r, maintenance AS m
                  WHERE r.id = ready_attempts.run_id
                    AND (m.namespace IN ('', r.namespace)
                         OR substr(r.namespace, 1, length(m.namespace) + 1) = m.namespace || '.'))

-- name: aside
-- Something stands aside.
SELECT 1 FROM ready_attempts WHERE queue >= :aside LIMIT 1

-- name: waiting
-- The runs that stand aside.
SELECT DISTINCT run_id FROM ready_attempts WHERE queue >= :aside ORDER BY run_id
