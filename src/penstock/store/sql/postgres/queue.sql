-- name: make_ready
-- An attempt may be claimed, by its owner alone while that process is known; said twice is said once. Dead rows before
-- `front`, where this process last claimed, are not walked in search of where the queue stands.
INSERT INTO ready_attempts (run_id, step, attempt, work, queue, priority, owner, at, lane, place)
SELECT :run_id, :step, :attempt, :work, CASE WHEN :gate <> '' AND EXISTS (
           SELECT 1 FROM maintenance AS m
           WHERE m.namespace IN ('', :gate) OR substr(:gate, 1, length(m.namespace) + 1) = m.namespace || '.')
       THEN '~' || :queue ELSE :queue END,
       :priority, o.owner, :at, :lane, greatest(
    coalesce((SELECT place FROM ready_attempts
              WHERE queue = :queue AND owner = o.owner AND priority = :priority AND place >= :front
              ORDER BY place LIMIT 1), :at),
    (SELECT place + 1 FROM ready_attempts
     WHERE queue = :queue AND owner = o.owner AND priority = :priority AND lane = :lane AND place >= :front
     ORDER BY place DESC LIMIT 1))
FROM (SELECT CASE WHEN EXISTS (SELECT 1 FROM workers WHERE id = :owner) THEN :owner ELSE '' END AS owner) AS o
ON CONFLICT (run_id, step, attempt) DO NOTHING

-- name: next_place
-- Where the next attempt of a lane stands, as `make_ready` has it: for many at once.
SELECT greatest(
    coalesce((SELECT place FROM ready_attempts
              WHERE queue = :queue AND owner = o.owner AND priority = :priority AND place >= :front
              ORDER BY place LIMIT 1), :at),
    (SELECT place + 1 FROM ready_attempts
     WHERE queue = :queue AND owner = o.owner AND priority = :priority AND lane = :lane AND place >= :front
     ORDER BY place DESC LIMIT 1))
FROM (SELECT CASE WHEN EXISTS (SELECT 1 FROM workers WHERE id = :owner) THEN :owner ELSE '' END AS owner) AS o

-- name: claim
-- The next rows leave ready and are held, in one statement; rows that another worker is just taking are passed by.
WITH next AS (
    SELECT id FROM (
        SELECT id FROM ready_attempts WHERE queue = :queue AND owner = :worker
        ORDER BY priority DESC, place, id LIMIT :room FOR UPDATE SKIP LOCKED) AS own
    UNION ALL
    SELECT id FROM (
        SELECT id FROM ready_attempts WHERE queue = :queue AND owner = ''
        ORDER BY priority DESC, place, id LIMIT :room FOR UPDATE SKIP LOCKED) AS shared
    LIMIT :room
), taken AS (
    DELETE FROM ready_attempts USING next WHERE ready_attempts.id = next.id
    RETURNING ready_attempts.*
)
INSERT INTO claimed_attempts (run_id, step, attempt, work, worker, fence, claimed_at, killing, priority, queue, owner,
                              lane, place)
SELECT run_id, step, attempt, work, :worker, id, :now, NULL, priority, queue, owner, lane, place FROM taken
ON CONFLICT (run_id, step, attempt) DO NOTHING
RETURNING run_id, step, attempt, work, fence, priority, killing, owner, claimed_at, worker, queue, lane, place

-- name: claim_after
-- The same from a cursor on: dead rows before it, which a long transaction keeps from being swept, are not walked again.
WITH next AS (
    SELECT id FROM (
        SELECT id FROM ready_attempts WHERE queue = :queue AND owner = :worker
        ORDER BY priority DESC, place, id LIMIT :room FOR UPDATE SKIP LOCKED) AS own
    UNION ALL
    SELECT id FROM (
        SELECT id FROM ready_attempts WHERE queue = :queue AND owner = '' AND priority > :priority
        ORDER BY priority DESC, place, id LIMIT :room FOR UPDATE SKIP LOCKED) AS higher
    UNION ALL
    SELECT id FROM (
        SELECT id FROM ready_attempts
        WHERE queue = :queue AND owner = '' AND priority = :priority AND (place, id) > (:place, :fence)
        ORDER BY place, id LIMIT :room FOR UPDATE SKIP LOCKED) AS same
    LIMIT :room
), taken AS (
    DELETE FROM ready_attempts USING next WHERE ready_attempts.id = next.id
    RETURNING ready_attempts.*
)
INSERT INTO claimed_attempts (run_id, step, attempt, work, worker, fence, claimed_at, killing, priority, queue, owner,
                              lane, place)
SELECT run_id, step, attempt, work, :worker, id, :now, NULL, priority, queue, owner, lane, place FROM taken
ON CONFLICT (run_id, step, attempt) DO NOTHING
RETURNING run_id, step, attempt, work, fence, priority, killing, owner, claimed_at, worker, queue, lane, place

-- name: lost
-- What is held by workers that are gone, silent, or of another boot of this machine.
SELECT c.run_id, c.step, c.attempt, c.work, c.fence, c.priority, c.killing, c.owner, c.claimed_at, c.worker, c.queue,
       c.lane, c.place
FROM claimed_attempts AS c LEFT JOIN workers AS w ON w.id = c.worker
WHERE w.id IS NULL OR w.beat_at < :before OR (:boot::text <> '' AND w.boot <> :boot::text)
ORDER BY c.fence
