-- name: set_timer
-- An event is due; said again, the later word stands.
INSERT INTO due (run_id, step, attempt, timer, at) VALUES (:run_id, :step, :attempt, :timer, :at)
ON CONFLICT (run_id, step, attempt, timer) DO UPDATE SET at = excluded.at

-- name: ring
-- Timers whose instant has come leave the table.
DELETE FROM due WHERE (run_id, step, attempt, timer) IN (
    SELECT run_id, step, attempt, timer FROM due WHERE at <= :now ORDER BY at LIMIT :limit)
RETURNING run_id, step, attempt, timer

-- name: next_at
-- When the next timer rings.
SELECT min(at) FROM due

-- name: clear
-- An ended run needs no timers.
DELETE FROM due WHERE run_id = :run_id

-- name: any_for
-- Whether a run has a timer.
SELECT 1 FROM due WHERE run_id = :run_id LIMIT 1
