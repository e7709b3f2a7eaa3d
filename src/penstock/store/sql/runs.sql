-- name: insert
-- A new run; nothing happens when its id or its idempotency key is there already.
INSERT INTO runs (id, version, namespace, flow, revision, status, priority, parent, created_at, started_at, ended_at,
                  idempotency_key, owner, labels, body)
VALUES (:id, :version, :namespace, :flow, :revision, :status, :priority, :parent, :created_at, :started_at, :ended_at,
        :idempotency_key, :owner, :labels, :body)
ON CONFLICT DO NOTHING

-- name: load
-- One run as it was committed last.
SELECT body FROM runs WHERE id = :id

-- name: with_step
-- One run and a step of it, as they were committed together.
SELECT r.body, s.body FROM runs AS r LEFT JOIN steps AS s ON s.run_id = r.id AND s.key = :step WHERE r.id = :id

-- name: load_all
-- Several runs as they were committed last.
SELECT body FROM runs WHERE id IN :ids[]

-- name: briefs
-- What lists and feeds tell of runs, without their bodies.
SELECT id, namespace, flow, status, version FROM runs WHERE id IN :ids[] AND flow NOT LIKE '%~%'

-- name: by_key
-- The run that an idempotency key started.
SELECT id FROM runs WHERE idempotency_key = :key

-- name: lock
-- The version; on SQLite the transaction itself is the lock.
SELECT version FROM runs WHERE id = :id

-- name: save
-- The run's new state, only on top of the version that was read.
UPDATE runs
SET version = :version, status = :status, priority = :priority, started_at = :started_at, ended_at = :ended_at,
    owner = :owner, labels = :labels, body = :body
WHERE id = :id AND version = :expected

-- name: children
-- Runs that steps of this run started, oldest first.
SELECT body FROM runs WHERE parent = :parent ORDER BY created_at, id

-- name: owned
-- Runs not ended that belong to one of these processes.
SELECT id FROM runs WHERE owner IN :owners[] AND owner <> '' AND ended_at IS NULL

-- name: counts
-- How many runs stand in each status, those of triggers that look left out.
SELECT status, count(*) FROM runs WHERE flow NOT LIKE '%~%' GROUP BY status ORDER BY status

-- name: list
-- Runs, newest first, from a cursor on.
SELECT body FROM runs WHERE id < :before /*and*/
ORDER BY id DESC LIMIT :limit

-- name: places
-- Namespaces that have runs: each is looked for behind the one before, and no run is read.
WITH RECURSIVE place (name) AS (
    SELECT min(namespace) FROM runs
    UNION ALL
    SELECT (SELECT min(namespace) FROM runs WHERE namespace > place.name) FROM place WHERE place.name IS NOT NULL
)
SELECT name FROM place WHERE name IS NOT NULL

-- name: oldest
-- Runs, oldest first, from a cursor on.
SELECT body FROM runs WHERE id > :before /*and*/
ORDER BY id LIMIT :limit

-- name: any+namespace
-- In a namespace or below it.
(namespace = :namespace OR namespace LIKE :below ESCAPE '\')

-- name: any+here
-- In a namespace, and not below it.
namespace = :here

-- name: any+flow
-- Of one flow.
flow = :flow

-- name: any+seen
-- Of a flow that people see: those whose runs look for a trigger have a mark in their id.
flow NOT LIKE '%~%'

-- name: any+statuses
-- In one of these statuses.
status IN :statuses[]

-- name: any+parent
-- Started by a step of this run.
parent = :parent

-- name: any+since
-- Created at this instant or later.
created_at >= :since

-- name: any+until
-- Created before this instant.
created_at < :until

-- name: any+text
-- The text stands in its id, flow, namespace or labels.
(id LIKE :text ESCAPE '\' OR lower(flow) LIKE :text ESCAPE '\' OR lower(namespace) LIKE :text ESCAPE '\'
 OR lower(labels) LIKE :text ESCAPE '\')

-- name: any+ids
-- One of these.
id IN :ids[]

-- name: tally
-- How many runs stand in each status.
SELECT status, count(*) FROM runs WHERE id <> '' /*and*/ GROUP BY status ORDER BY status

-- name: number
-- How many runs there are.
SELECT count(*) FROM runs WHERE id <> '' /*and*/

-- name: version
-- A run's version, without its lock.
SELECT version FROM runs WHERE id = :id

-- name: known_keys
-- Which of these idempotency keys have started runs.
SELECT idempotency_key FROM runs WHERE idempotency_key IN :keys[]

-- name: how_many
-- How many of these runs are there.
SELECT count(*) FROM runs WHERE id IN :ids[]
