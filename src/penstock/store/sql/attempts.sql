-- name: append
-- An attempt as history keeps it; the first word on it stands.
INSERT INTO attempts (run_id, step, number, outcome, state, body)
VALUES (:run_id, :step, :number, :outcome, :state, :body)
ON CONFLICT (run_id, step, number) DO NOTHING

-- name: every
-- All attempts of a run.
SELECT body FROM attempts WHERE run_id = :run_id ORDER BY step, number

-- name: of_step
-- The attempts of one step.
SELECT body FROM attempts WHERE run_id = :run_id AND step = :step ORDER BY number

-- name: last_state
-- What the newest attempt that saved anything left for the next.
SELECT state FROM attempts WHERE run_id = :run_id AND step = :step AND state IS NOT NULL
ORDER BY number DESC LIMIT 1
