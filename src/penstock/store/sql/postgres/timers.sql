-- name: ring
-- Timers whose instant has come leave the table; those that another process is just taking are passed by.
DELETE FROM due USING (
    SELECT run_id, step, attempt, timer FROM due WHERE at <= :now ORDER BY at LIMIT :limit FOR UPDATE SKIP LOCKED) AS now
WHERE due.run_id = now.run_id AND due.step = now.step AND due.attempt = now.attempt AND due.timer = now.timer
RETURNING due.run_id, due.step, due.attempt, due.timer
