-- name: block
-- A run waits for a limit.
INSERT INTO blocked_runs (run_id, limit_name, count, when_full, priority, since)
VALUES (:run_id, :name, :count, :when_full, :priority, :since)
ON CONFLICT (run_id) DO UPDATE
SET limit_name = excluded.limit_name, count = excluded.count, when_full = excluded.when_full,
    priority = excluded.priority

-- name: ensure
-- A limit has a row that can be locked.
INSERT INTO limits (name) VALUES (:name) ON CONFLICT (name) DO NOTHING

-- name: lock
-- On SQLite the transaction itself is the lock.
SELECT name FROM limits WHERE name IN :names[] ORDER BY name

-- name: live
-- How many runs a limit has let in and that have not ended.
SELECT count(*) FROM admitted WHERE limit_name = :name

-- name: waiting
-- Who waits for a limit: priority first, then age.
SELECT run_id, limit_name, count, when_full, priority, since FROM blocked_runs
WHERE limit_name = :name ORDER BY priority DESC, since, run_id LIMIT :limit

-- name: unblock
-- The run waits no longer.
DELETE FROM blocked_runs WHERE run_id = :run_id

-- name: admit
-- The run is in.
INSERT INTO admitted (limit_name, run_id) VALUES (:name, :run_id) ON CONFLICT DO NOTHING

-- name: release
-- The run is out of every limit.
DELETE FROM admitted WHERE run_id = :run_id RETURNING limit_name

-- name: waiting_names
-- Limits that somebody waits for.
SELECT DISTINCT limit_name FROM blocked_runs ORDER BY limit_name
