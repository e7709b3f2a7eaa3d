-- name: make_ready
-- An attempt may be claimed, by its owner alone while that process is known; said twice is said once. Its place is
-- where the queue stands, and behind what waits in its lane: who was quiet comes next, whatever others have queued.
-- Of a run that begins, in the namespace `gate`, it is put aside while that is in maintenance.
INSERT INTO ready_attempts (run_id, step, attempt, work, queue, priority, owner, at, lane, place)
SELECT :run_id, :step, :attempt, :work, CASE WHEN :gate <> '' AND EXISTS (
           SELECT 1 FROM maintenance AS m
           WHERE m.namespace IN ('', :gate) OR substr(:gate, 1, length(m.namespace) + 1) = m.namespace || '.')
       THEN '~' || :queue ELSE :queue END,
       :priority, o.owner, :at, :lane, max(
    coalesce((SELECT place FROM ready_attempts
              WHERE queue = :queue AND owner = o.owner AND priority = :priority AND place >= :front
              ORDER BY place LIMIT 1), :at),
    coalesce((SELECT place + 1 FROM ready_attempts
              WHERE queue = :queue AND owner = o.owner AND priority = :priority AND lane = :lane AND place >= :front
              ORDER BY place DESC LIMIT 1), 0))
FROM (SELECT CASE WHEN EXISTS (SELECT 1 FROM workers WHERE id = :owner) THEN :owner ELSE '' END AS owner) AS o
WHERE true
ON CONFLICT (run_id, step, attempt) DO NOTHING

-- name: next_place
-- Where the next attempt of a lane stands, as `make_ready` has it: for many at once.
SELECT max(
    coalesce((SELECT place FROM ready_attempts
              WHERE queue = :queue AND owner = o.owner AND priority = :priority AND place >= :front
              ORDER BY place LIMIT 1), :at),
    coalesce((SELECT place + 1 FROM ready_attempts
              WHERE queue = :queue AND owner = o.owner AND priority = :priority AND lane = :lane AND place >= :front
              ORDER BY place DESC LIMIT 1), 0))
FROM (SELECT CASE WHEN EXISTS (SELECT 1 FROM workers WHERE id = :owner) THEN :owner ELSE '' END AS owner) AS o

-- name: put_at
-- An attempt may be claimed at a place of its own: as one of many, or again where it stood.
INSERT INTO ready_attempts (run_id, step, attempt, work, queue, priority, owner, at, lane, place)
VALUES (:run_id, :step, :attempt, :work, CASE WHEN :gate <> '' AND EXISTS (
           SELECT 1 FROM maintenance AS m
           WHERE m.namespace IN ('', :gate) OR substr(:gate, 1, length(m.namespace) + 1) = m.namespace || '.')
       THEN '~' || :queue ELSE :queue END,
        :priority, CASE WHEN EXISTS (SELECT 1 FROM workers WHERE id = :owner) THEN :owner ELSE '' END, :at, :lane, :place)
ON CONFLICT (run_id, step, attempt) DO NOTHING

-- name: claim
-- The next rows leave ready for one worker: its own first, then highest priority, then in their places. (SQLite; the
-- other half is `hold`.)
DELETE FROM ready_attempts WHERE id IN (
    SELECT id FROM (SELECT id FROM ready_attempts WHERE queue = :queue AND owner = :worker
                    ORDER BY priority DESC, place, id LIMIT :room)
    UNION ALL
    SELECT id FROM (SELECT id FROM ready_attempts WHERE queue = :queue AND owner = ''
                    ORDER BY priority DESC, place, id LIMIT :room)
    LIMIT :room)
RETURNING run_id, step, attempt, work, id, priority, NULL, owner, :now, :worker, queue, lane, place

-- name: hold
-- A row that left ready is held under its number as fence; one that is held already stays under its own.
INSERT INTO claimed_attempts (run_id, step, attempt, work, worker, fence, claimed_at, killing, priority, queue, owner,
                              lane, place)
VALUES (:run_id, :step, :attempt, :work, :worker, :fence, :claimed_at, NULL, :priority, :queue, :owner, :lane, :place)
ON CONFLICT (run_id, step, attempt) DO NOTHING

-- name: withdraw
-- Attempts that nobody has claimed yet are not to be claimed any more.
DELETE FROM ready_attempts WHERE run_id = :run_id AND step IN :steps[]
RETURNING step, attempt

-- name: recall
-- What nobody has claimed yet of a run is taken back; the run's own evaluation (the empty step) goes on.
DELETE FROM ready_attempts WHERE run_id = :run_id AND step <> ''
RETURNING step, attempt

-- name: flag
-- Attempts that are held are to be ended; force stays force.
UPDATE claimed_attempts
SET killing = CASE WHEN killing = 'force' THEN 'force' ELSE :killing END
WHERE run_id = :run_id AND step IN :steps[]
RETURNING step, attempt, worker

-- name: give_back
-- The claim ends, if it is still this one.
DELETE FROM claimed_attempts
WHERE run_id = :run_id AND step = :step AND attempt = :attempt AND fence = :fence

-- name: holds
-- Whether a claim is held under this fence.
SELECT 1 FROM claimed_attempts WHERE run_id = :run_id AND step = :step AND attempt = :attempt AND fence = :fence

-- name: give_back_all
-- Several claims of a run end, those that are still these.
DELETE FROM claimed_attempts WHERE run_id = :run_id AND fence IN :fences[]

-- name: held
-- What one worker holds.
SELECT run_id, step, attempt, work, fence, priority, killing, owner, claimed_at, worker, queue, lane, place
FROM claimed_attempts WHERE worker = :worker ORDER BY fence

-- name: flagged
-- What one worker holds and is to end.
SELECT run_id, step, attempt, work, fence, priority, killing, owner, claimed_at, worker, queue, lane, place
FROM claimed_attempts WHERE worker = :worker AND killing IS NOT NULL ORDER BY fence

-- name: claims_of
-- What is held of one run.
SELECT run_id, step, attempt, work, fence, priority, killing, owner, claimed_at, worker, queue, lane, place
FROM claimed_attempts WHERE run_id = :run_id ORDER BY fence

-- name: ready_of
-- What may be claimed of one run.
SELECT step, attempt, work FROM ready_attempts WHERE run_id = :run_id ORDER BY id

-- name: standing
-- Where the ready attempts of one run stand.
SELECT id, step, attempt, queue, owner, priority, place, at FROM ready_attempts WHERE run_id = :run_id ORDER BY id

-- name: ahead
-- How many are claimed before a ready attempt.
SELECT count(*) FROM ready_attempts
WHERE queue = :queue AND owner = :owner AND (priority > :priority OR (
    priority = :priority AND (place, id) < (:place, :id)))

-- name: lost
-- What is held by workers that are gone, silent, or of another boot of this machine.
SELECT c.run_id, c.step, c.attempt, c.work, c.fence, c.priority, c.killing, c.owner, c.claimed_at, c.worker, c.queue,
       c.lane, c.place
FROM claimed_attempts AS c LEFT JOIN workers AS w ON w.id = c.worker
WHERE w.id IS NULL OR w.beat_at < :before OR (:boot <> '' AND w.boot <> :boot)
ORDER BY c.fence

-- name: unknown_owners
-- Processes that ready attempts wait for, and that no table knows.
SELECT DISTINCT owner FROM ready_attempts AS r
WHERE owner <> '' AND NOT EXISTS (SELECT 1 FROM workers AS w WHERE w.id = r.owner)

-- name: adopt_ready
-- Ready attempts of processes that are gone belong to whoever comes.
UPDATE ready_attempts SET owner = '' WHERE owner IN :owners[] AND owner <> ''

-- name: adopt_claimed
-- The same for what is held, so that a hand-back is for everybody.
UPDATE claimed_attempts SET owner = '' WHERE owner IN :owners[] AND owner <> ''

-- name: depth
-- How many attempts wait, and since when the oldest has.
SELECT count(*), min(at) FROM ready_attempts
