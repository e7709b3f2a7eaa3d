-- name: claim
-- The next rows leave ready and are held, in one statement; rows that another worker is just taking are passed by.
WITH next AS (
    SELECT id FROM ready_attempts WHERE queue = :queue AND (owner = '' OR owner = :worker)
    ORDER BY priority DESC, id LIMIT :room FOR UPDATE SKIP LOCKED
), taken AS (
    DELETE FROM ready_attempts USING next WHERE ready_attempts.id = next.id
    RETURNING ready_attempts.*
)
INSERT INTO claimed_attempts (run_id, step, attempt, work, worker, fence, claimed_at, killing, priority, queue, owner)
SELECT run_id, step, attempt, work, :worker, id, :now, NULL, priority, queue, owner FROM taken
ON CONFLICT (run_id, step, attempt) DO NOTHING
RETURNING run_id, step, attempt, work, fence, priority, killing, owner, claimed_at, worker

-- name: claim_after
-- The same from a cursor on: dead rows before it, which a long transaction keeps from being swept, are not walked again.
WITH next AS (
    SELECT id FROM (
        SELECT id FROM ready_attempts
        WHERE queue = :queue AND priority > :priority AND (owner = '' OR owner = :worker)
        ORDER BY priority DESC, id LIMIT :room FOR UPDATE SKIP LOCKED) AS higher
    UNION ALL
    SELECT id FROM (
        SELECT id FROM ready_attempts
        WHERE queue = :queue AND priority = :priority AND id > :fence AND (owner = '' OR owner = :worker)
        ORDER BY id LIMIT :room FOR UPDATE SKIP LOCKED) AS same
    LIMIT :room
), taken AS (
    DELETE FROM ready_attempts USING next WHERE ready_attempts.id = next.id
    RETURNING ready_attempts.*
)
INSERT INTO claimed_attempts (run_id, step, attempt, work, worker, fence, claimed_at, killing, priority, queue, owner)
SELECT run_id, step, attempt, work, :worker, id, :now, NULL, priority, queue, owner FROM taken
ON CONFLICT (run_id, step, attempt) DO NOTHING
RETURNING run_id, step, attempt, work, fence, priority, killing, owner, claimed_at, worker

-- name: lost
-- What is held by workers that are gone, silent, or of another boot of this machine.
SELECT c.run_id, c.step, c.attempt, c.work, c.fence, c.priority, c.killing, c.owner, c.claimed_at, c.worker
FROM claimed_attempts AS c LEFT JOIN workers AS w ON w.id = c.worker
WHERE w.id IS NULL OR w.beat_at < :before OR (:boot::text <> '' AND w.boot <> :boot::text)
ORDER BY c.fence
