-- name: block
-- Somebody waits for a limit; its place is where the limit's queue stands, and behind what waits in its lane.
INSERT INTO blocked_attempts (limit_name, run_id, step, attempt, count, span, weight, when_full, priority, lane, place,
                              since)
SELECT :limit_name, :run_id, :step, :attempt, :count, :span, :weight, :when_full, :priority, :lane, max(
    coalesce((SELECT place FROM blocked_attempts WHERE limit_name = :limit_name AND priority = :priority
              ORDER BY place LIMIT 1), :since),
    coalesce((SELECT place + 1 FROM blocked_attempts
              WHERE limit_name = :limit_name AND priority = :priority AND lane = :lane
              ORDER BY place DESC LIMIT 1), 0)), :since
WHERE true
ON CONFLICT (run_id, step, attempt, limit_name) DO UPDATE
SET count = excluded.count, span = excluded.span, weight = excluded.weight, when_full = excluded.when_full

-- name: ensure
-- A limit has a row that can be locked.
INSERT INTO limits (name) VALUES (:name) ON CONFLICT (name) DO NOTHING

-- name: lock
-- On SQLite the transaction itself is the lock.
SELECT name FROM limits WHERE name IN :names[] ORDER BY name

-- name: used
-- How many slots of a limit are in use, by lane.
SELECT lane, sum(weight) FROM admitted WHERE limit_name = :name GROUP BY lane

-- name: started
-- What a rate has let start in its window; what lies beyond it was counted by the clock of another boot.
SELECT at, weight FROM limit_starts
WHERE limit_name = :name AND at > :after AND at <= :until ORDER BY at

-- name: waiting
-- Who waits for a limit in turn, but for those that also want one that is full.
SELECT limit_name, run_id, step, attempt, count, span, weight, when_full, priority, lane, place, since
FROM blocked_attempts AS b
WHERE limit_name = :name AND NOT EXISTS (
    SELECT 1 FROM blocked_attempts AS o
    WHERE o.run_id = b.run_id AND o.step = b.step AND o.attempt = b.attempt AND o.limit_name IN :full[])
ORDER BY priority DESC, place, since, run_id, step LIMIT :limit

-- name: impatient
-- Who asks for a limit and does not want to wait.
SELECT limit_name, run_id, step, attempt, count, span, weight, when_full, priority, lane, place, since
FROM blocked_attempts WHERE limit_name = :name AND when_full <> 'queue' ORDER BY priority DESC, place, since, run_id

-- name: wants_of
-- All that one waiter wants.
SELECT limit_name, run_id, step, attempt, count, span, weight, when_full, priority, lane, place, since
FROM blocked_attempts WHERE run_id = :run_id AND step = :step AND attempt = :attempt ORDER BY limit_name

-- name: waits_of
-- All that a run and its attempts wait for.
SELECT limit_name, run_id, step, attempt, count, span, weight, when_full, priority, lane, place, since
FROM blocked_attempts WHERE run_id = :run_id ORDER BY step, attempt, limit_name

-- name: ahead
-- How many stand before a waiter.
SELECT count(*) FROM blocked_attempts
WHERE limit_name = :name AND (priority > :priority OR (
    priority = :priority AND (place, since, run_id, step) < (:place, :since, :run_id, :step)))

-- name: unblock
-- A waiter waits no longer.
DELETE FROM blocked_attempts WHERE run_id = :run_id AND step = :step AND attempt = :attempt

-- name: withdraw
-- Attempts of these steps wait no longer.
DELETE FROM blocked_attempts WHERE run_id = :run_id AND step IN :steps[] AND step <> ''
RETURNING step, attempt

-- name: admit
-- A waiter is in.
INSERT INTO admitted (limit_name, run_id, step, attempt, weight, lane, at)
VALUES (:name, :run_id, :step, :attempt, :weight, :lane, :at) ON CONFLICT DO NOTHING

-- name: start
-- A rate counts a start.
INSERT INTO limit_starts (limit_name, at, run_id, step, attempt, weight, until)
VALUES (:name, :at, :run_id, :step, :attempt, :weight, :until) ON CONFLICT DO NOTHING

-- name: release
-- An attempt, or a run itself, is out of every limit.
DELETE FROM admitted WHERE run_id = :run_id AND step = :step AND attempt = :attempt RETURNING limit_name

-- name: in_use
-- Who is in, the longest first.
SELECT limit_name, run_id, step, attempt, weight, lane, at FROM admitted
WHERE limit_name = :name ORDER BY at, run_id, step LIMIT :limit

-- name: left_behind
-- Slots of what is over: a run that has ended, an attempt that nothing will end any more.
SELECT limit_name, run_id, step, attempt, weight, lane, at FROM admitted AS a
WHERE at < :before AND (
    (step = '' AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.id = a.run_id AND r.ended_at IS NULL))
    OR (step <> ''
        AND NOT EXISTS (SELECT 1 FROM steps AS s WHERE s.run_id = a.run_id AND s.key = a.step
                        AND s.attempt = a.attempt AND s.status IN ('queued', 'running'))
        AND NOT EXISTS (SELECT 1 FROM ready_attempts AS q WHERE q.run_id = a.run_id AND q.step = a.step
                        AND q.attempt = a.attempt)
        AND NOT EXISTS (SELECT 1 FROM claimed_attempts AS c WHERE c.run_id = a.run_id AND c.step = a.step
                        AND c.attempt = a.attempt)
        AND NOT EXISTS (SELECT 1 FROM inbox AS i WHERE i.run_id = a.run_id AND i.step = a.step
                        AND i.attempt = a.attempt)))
ORDER BY limit_name, run_id, step, attempt

-- name: waiting_names
-- Limits that somebody waits for.
SELECT DISTINCT limit_name FROM blocked_attempts WHERE limit_name > :after ORDER BY limit_name LIMIT :limit

-- name: free_at
-- When a rate has room again.
UPDATE limits SET free_at = :at WHERE name = :name AND (free_at IS NOT NULL OR :at IS NOT NULL)

-- name: next_free
-- When the next rate has room.
SELECT min(free_at) FROM limits WHERE free_at IS NOT NULL

-- name: free_by
-- Rates that have room by now.
SELECT name FROM limits WHERE free_at IS NOT NULL AND free_at <= :now ORDER BY name

-- name: forget_starts
-- Starts that no window counts any more.
DELETE FROM limit_starts WHERE until <= :now OR at > :now + (until - at)

-- name: forget_idle
-- Limits that nobody wants, uses or has started by.
DELETE FROM limits
WHERE NOT EXISTS (SELECT 1 FROM blocked_attempts AS b WHERE b.limit_name = name)
  AND NOT EXISTS (SELECT 1 FROM admitted AS a WHERE a.limit_name = name)
  AND NOT EXISTS (SELECT 1 FROM limit_starts AS s WHERE s.limit_name = name)
