-- name: load
-- Steps of a run by key.
SELECT body FROM steps WHERE run_id = :run_id AND key IN :keys[]

-- name: load_all
-- Steps of several runs by key.
SELECT run_id, body FROM steps WHERE run_id IN :runs[] AND key IN :keys[]

-- name: every
-- All steps of a run.
SELECT body FROM steps WHERE run_id = :run_id ORDER BY key

-- name: page
-- Steps of a run in the order of their keys, from a place on.
SELECT body FROM steps WHERE run_id = :run_id AND key > :after /*and*/ ORDER BY key LIMIT :limit

-- name: page+statuses
-- In one of these statuses.
status IN :statuses[]

-- name: page+node
-- Of one node, in whichever iteration.
node = :node

-- name: tally
-- How many steps of a run stand in each status.
SELECT status, count(*) FROM steps WHERE run_id = :run_id GROUP BY status ORDER BY status

-- name: open_steps
-- Steps that have begun and have not ended.
SELECT body FROM steps
WHERE run_id = :run_id AND status IN ('queued', 'running', 'retrying', 'snoozed', 'paused')
ORDER BY key

-- name: of_nodes
-- Steps of some nodes, in whichever iteration; the key of a step outside loops is its node.
SELECT body FROM steps WHERE run_id = :run_id AND key IN :nodes[] AND key = node
UNION ALL
SELECT body FROM steps WHERE run_id = :run_id AND node IN :nodes[] AND key <> node

-- name: save
-- A step's new state, whether or not it had one.
INSERT INTO steps (run_id, key, node, status, attempt, body)
VALUES (:run_id, :key, :node, :status, :attempt, :body)
ON CONFLICT (run_id, key) DO UPDATE
SET status = excluded.status, attempt = excluded.attempt, body = excluded.body

-- name: forget
-- One iteration and all that lies in it: from its key with a slash up to its key with a zero, the next character.
DELETE FROM steps WHERE run_id = :run_id AND (key = :key OR (key >= :first AND key < :end))
