-- name: put
-- A trigger's row, new or changed.
INSERT INTO triggers (key, namespace, flow, id, revision, kind, digest, next_at, last_at, holds, off_by, version, body)
VALUES (:key, :namespace, :flow, :id, :revision, :kind, :digest, :next_at, :last_at, :holds, :off_by, :version, :body)
ON CONFLICT (key) DO UPDATE
SET revision = excluded.revision, kind = excluded.kind, digest = excluded.digest, next_at = excluded.next_at,
    last_at = excluded.last_at, holds = excluded.holds, off_by = excluded.off_by, version = excluded.version,
    body = excluded.body

-- name: get
-- One trigger.
SELECT key, namespace, flow, id, revision, kind, digest, next_at, last_at, holds, off_by, version, body
FROM triggers WHERE key = :key

-- name: of_flow
-- The triggers of a flow.
SELECT key, namespace, flow, id, revision, kind, digest, next_at, last_at, holds, off_by, version, body
FROM triggers WHERE namespace = :namespace AND flow = :flow ORDER BY id

-- name: list
-- Triggers by their names, from a cursor on.
SELECT key, namespace, flow, id, revision, kind, digest, next_at, last_at, holds, off_by, version, body
FROM triggers AS t WHERE key > :after /*and*/ ORDER BY key LIMIT :limit

-- name: list+namespace
-- In a namespace or below it.
(namespace = :namespace OR namespace LIKE :below ESCAPE '\')

-- name: list+flow
-- Of flows with this id.
flow = :flow

-- name: drop
-- Triggers that their flow does not have any more.
DELETE FROM triggers WHERE key IN :keys[]

-- name: due
-- What is to be looked at by now, the oldest first; not while a run goes that must end first.
SELECT key, namespace, flow, id, revision, kind, digest, next_at, last_at, holds, off_by, version, body
FROM triggers AS t
WHERE next_at <= :now AND off_by = '' AND kind IN ('schedule', 'interval', 'rule', 'dates')
  AND (holds = '' OR NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.id = t.holds AND r.ended_at IS NULL))
ORDER BY next_at, key LIMIT :limit

-- name: looking
-- For what a worker is to look, or has looked, the oldest first; not while a run goes that must end first.
SELECT key, namespace, flow, id, revision, kind, digest, next_at, last_at, holds, off_by, version, body
FROM triggers AS t
WHERE next_at <= :now AND off_by = '' AND kind IN ('polling', 'listening')
  AND (holds = '' OR NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.id = t.holds AND r.ended_at IS NULL))
ORDER BY next_at, key LIMIT :limit

-- name: awaited
-- Something that waits for the end of a run.
SELECT 1 FROM triggers WHERE next_at <= :now AND off_by = '' AND kind IN ('polling', 'listening') AND holds <> '' LIMIT 1

-- name: next
-- The next instant after this one at which something is to be looked at.
SELECT min(next_at) FROM triggers
WHERE next_at > :now AND off_by = '' AND kind IN ('schedule', 'interval', 'rule', 'dates', 'polling', 'listening')

-- name: locked
-- These triggers as they are now, until the transaction ends nobody else's to change.
SELECT key, version FROM triggers WHERE key IN :keys[]

-- name: unknown_flows
-- Flows that have triggers of which nothing is known yet: they were stored before there was a place for it.
SELECT f.namespace, f.id, f.revision FROM flows AS f
JOIN revisions AS r ON r.namespace = f.namespace AND r.id = f.id AND r.revision = f.revision
WHERE f.deleted = 0 AND r.model LIKE '%"triggers":[%'
  AND NOT EXISTS (SELECT 1 FROM triggers AS t WHERE t.namespace = f.namespace AND t.flow = f.id)

-- name: of_kind
-- The triggers of a kind that are on.
SELECT key, namespace, flow, id, revision, kind, digest, next_at, last_at, holds, off_by, version, body
FROM triggers WHERE kind = :kind AND kind IN ('webhook', 'runs', 'polling', 'listening') AND off_by = '' ORDER BY key
