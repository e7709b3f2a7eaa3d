-- name: work
-- Attempts of a run that may be claimed, wait for a limit, or are held; a run that waits for one has step '' and 0.
SELECT step, attempt FROM ready_attempts WHERE run_id = :run_id
UNION
SELECT step, attempt FROM claimed_attempts WHERE run_id = :run_id
UNION
SELECT step, attempt FROM blocked_attempts WHERE run_id = :run_id

-- name: timers
-- What is to ring for a run.
SELECT step, attempt, timer, at FROM due WHERE run_id = :run_id

-- name: run
-- What lists are asked by, beside the run itself.
SELECT version, status, started_at, ended_at, body FROM runs WHERE id = :id

-- name: steps
-- A run's steps, with what is looked up beside each, some at a time.
SELECT key, node, status, attempt, body FROM steps
WHERE run_id = :run_id AND key > :after ORDER BY key LIMIT :limit

-- name: attempts
-- A run's attempts, some at a time.
SELECT step, number, outcome, body FROM attempts
WHERE run_id = :run_id AND (step > :step OR (step = :step AND number > :number))
ORDER BY step, number LIMIT :limit

-- name: outputs
-- Whose outputs are kept of a run.
SELECT step, attempt FROM outputs WHERE run_id = :run_id

-- name: values
-- One chunk after the other of the values of a run's loops.
SELECT step, chunk, body FROM loop_values WHERE run_id = :run_id AND step = :step ORDER BY chunk
