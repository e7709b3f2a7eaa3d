-- name: block
-- Somebody waits for a limit; its place is where the limit's queue stands, and behind what waits in its lane.
INSERT INTO blocked_attempts (limit_name, run_id, step, attempt, count, span, weight, when_full, priority, lane, place,
                              since)
SELECT :limit_name, :run_id, :step, :attempt, :count::bigint, :span::bigint, :weight, :when_full, :priority, :lane,
       greatest(
    coalesce((SELECT place FROM blocked_attempts WHERE limit_name = :limit_name AND priority = :priority
              ORDER BY place LIMIT 1), :since),
    (SELECT place + 1 FROM blocked_attempts WHERE limit_name = :limit_name AND priority = :priority AND lane = :lane
     ORDER BY place DESC LIMIT 1)), :since
ON CONFLICT (run_id, step, attempt, limit_name) DO UPDATE
SET count = excluded.count, span = excluded.span, weight = excluded.weight, when_full = excluded.when_full

-- name: lock
-- Limits in the order of their names, so that two admissions never wait for each other.
SELECT name FROM limits WHERE name IN :names[] ORDER BY name FOR UPDATE

-- name: free_at
-- When a rate has room again.
UPDATE limits SET free_at = :at::bigint WHERE name = :name AND (free_at IS NOT NULL OR :at::bigint IS NOT NULL)
