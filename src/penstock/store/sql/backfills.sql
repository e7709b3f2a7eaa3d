-- name: add
-- A new backfill.
INSERT INTO backfills (id, namespace, flow, revision, status, at_once, total, created_at, created_by, ended_at, body)
VALUES (:id, :namespace, :flow, :revision, :status, :at_once, :total, :created_at, :created_by, :ended_at, :body)
ON CONFLICT (id) DO NOTHING

-- name: add_item
-- One run that it will start.
INSERT INTO backfill_items (backfill, number, status, tries, run_id, body)
VALUES (:backfill, :number, :status, :tries, :run_id, :body)
ON CONFLICT (backfill, number) DO NOTHING

-- name: get
-- One backfill.
SELECT id, namespace, flow, revision, status, at_once, total, created_at, created_by, ended_at, body
FROM backfills WHERE id = :id

-- name: at_work
-- The backfills that start runs, or wait for those that go.
SELECT id, namespace, flow, revision, status, at_once, total, created_at, created_by, ended_at, body
FROM backfills AS b WHERE status <> 'done'
  AND (status = 'running' OR EXISTS (SELECT 1 FROM backfill_items AS i WHERE i.backfill = b.id AND i.status = 'going'))
ORDER BY id

-- name: list
-- Backfills, newest first, from a cursor on.
SELECT id, namespace, flow, revision, status, at_once, total, created_at, created_by, ended_at, body
FROM backfills AS b WHERE id < :before /*and*/ ORDER BY id DESC LIMIT :limit

-- name: list+flow
-- Of one flow.
flow = :flow

-- name: list+namespace
-- In a namespace or below it.
(namespace = :namespace OR namespace LIKE :below ESCAPE '\')

-- name: move
-- A backfill comes to another status, or another number at once.
UPDATE backfills SET status = :status, at_once = :at_once, ended_at = :ended_at WHERE id = :id AND status = :was

-- name: locked
-- A backfill's status, until the transaction ends nobody else's to change.
SELECT status FROM backfills WHERE id = :id

-- name: counts
-- How many of its runs stand where.
SELECT status, count(*) FROM backfill_items WHERE backfill = :id GROUP BY status

-- name: going
-- Its runs that go, and how each stands by now; one that is gone has none.
SELECT i.backfill, i.number, i.status, i.tries, i.run_id, i.body, r.status, r.body
FROM backfill_items AS i LEFT JOIN runs AS r ON r.id = i.run_id
WHERE i.backfill = :id AND i.status = 'going' AND (r.id IS NULL OR r.ended_at IS NOT NULL) ORDER BY i.number

-- name: items
-- Its items by number, from a cursor on.
SELECT backfill, number, status, tries, run_id, body FROM backfill_items
WHERE backfill = :id AND number > :after /*and*/ ORDER BY number LIMIT :limit

-- name: items+statuses
-- That stand in one of these.
status IN :statuses[]

-- name: move_item
-- An item comes to another status.
UPDATE backfill_items SET status = :status, tries = :tries, run_id = :run_id
WHERE backfill = :backfill AND number = :number

-- name: leave
-- What waits starts no more.
UPDATE backfill_items SET status = 'left' WHERE backfill = :id AND status = 'waiting'

-- name: again
-- What failed, or was left, is to be started again.
UPDATE backfill_items SET status = 'waiting', tries = tries + 1, run_id = ''
WHERE backfill = :id AND status IN ('failed', 'left')
