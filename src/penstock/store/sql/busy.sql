-- How busy is the installation? Counts over the hot tables, which are small.

-- name: ready
-- How many attempts wait in each queue, and since when the oldest has; those aside are no work for anybody.
SELECT queue, count(*), min(at) FROM ready_attempts WHERE queue < '~' GROUP BY queue ORDER BY queue

-- name: claimed
-- How many attempts of each queue are being made.
SELECT queue, count(*) FROM claimed_attempts GROUP BY queue ORDER BY queue

-- name: held
-- How many attempts each worker holds.
SELECT worker, count(*) FROM claimed_attempts GROUP BY worker ORDER BY worker

-- name: admitted
-- How much of each limit is in use, and how many have it.
SELECT limit_name, sum(weight), count(*) FROM admitted GROUP BY limit_name ORDER BY limit_name

-- name: blocked
-- How many wait for each limit, since when, and what it lets in.
SELECT limit_name, count(*), min(since), max(count), max(span) FROM blocked_attempts
GROUP BY limit_name ORDER BY limit_name

-- name: going
-- How many runs that have not ended stand in each status, so many at most; those of triggers that look left out.
SELECT s.status, (SELECT count(*) FROM (SELECT 1 FROM runs AS r
                                        WHERE r.status = s.status AND r.flow NOT LIKE '%~%' LIMIT :most) AS few)
FROM (SELECT 'queued' AS status UNION ALL SELECT 'running' UNION ALL SELECT 'paused' UNION ALL SELECT 'killing'
      UNION ALL SELECT 'retrying') AS s

-- name: unfolded
-- How many events wait to be decided on, so many at most.
SELECT count(*) FROM (SELECT 1 FROM inbox LIMIT :most) AS few

-- name: overdue
-- How many triggers' time has come, so many at most, and when it first did; not while a run goes that must end first.
SELECT count(*), min(next_at) FROM (
    SELECT next_at FROM triggers AS t WHERE next_at <= :now AND off_by = ''
      AND (holds = '' OR NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.id = t.holds AND r.ended_at IS NULL))
    ORDER BY next_at LIMIT :most) AS due

-- name: backfills
-- How many backfills that are not done stand in each status.
SELECT status, count(*) FROM backfills WHERE status <> 'done' GROUP BY status ORDER BY status
