-- name: append
-- What happened, accepted or refused.
INSERT INTO events (run_id, kind, step, attempt, body, at, accepted, worker, fence)
VALUES (:run_id, :kind, :step, :attempt, :body, :at, :accepted, :worker, :fence)

-- name: every
-- The story of a run.
SELECT id, body, at, accepted, worker, fence FROM events WHERE run_id = :run_id ORDER BY id

-- name: accepted
-- Whether an event of this attempt was accepted under this fence.
SELECT 1 FROM events
WHERE run_id = :run_id AND step = :step AND attempt = :attempt AND fence = :fence AND accepted = 1 LIMIT 1

-- name: page
-- Some of a run's story, from an event on.
SELECT id, body, at, accepted, worker, fence FROM events
WHERE run_id = :run_id AND id > :after ORDER BY id LIMIT :limit

-- name: touching
-- What of a run's story tells of data that were read or written.
SELECT id, body, at, accepted, worker, fence FROM events
WHERE run_id = :run_id AND kind = 'ended' AND accepted = 1 AND body LIKE '%"touched":%' ORDER BY id
