-- name: put
-- An event waits for its run; said twice is said once.
INSERT INTO inbox (run_id, step, attempt, kind, body, at)
VALUES (:run_id, :step, :attempt, :kind, :body, :at)
ON CONFLICT (run_id, step, attempt, kind) DO NOTHING

-- name: take
-- Events of a run in the order they came.
SELECT id, body, at FROM inbox WHERE run_id = :run_id ORDER BY id LIMIT :limit

-- name: ends
-- Attempts of some steps whose end waits.
SELECT step, attempt FROM inbox
WHERE run_id = :run_id AND step IN :steps[] AND kind IN ('ended', 'child_ended')

-- name: drop
-- Folded events leave.
DELETE FROM inbox WHERE id IN :ids[]

-- name: runs_waiting
-- Runs with unfolded events, from a run on.
SELECT DISTINCT run_id FROM inbox WHERE run_id > :after ORDER BY run_id LIMIT :limit

-- name: any_for
-- Whether a run has unfolded events.
SELECT 1 FROM inbox WHERE run_id = :run_id LIMIT 1

-- name: forget
-- Words for a run that is gone.
DELETE FROM inbox WHERE run_id = :run_id AND NOT EXISTS (SELECT 1 FROM runs WHERE id = :run_id)
