-- name: head
-- A flow's newest revision, deleted or not.
SELECT f.revision, r.digest, f.deleted FROM flows AS f
JOIN revisions AS r ON r.namespace = f.namespace AND r.id = f.id AND r.revision = f.revision
WHERE f.namespace = :namespace AND f.id = :id

-- name: point
-- A flow's newest revision is this one.
INSERT INTO flows (namespace, id, revision, deleted, changed_at)
VALUES (:namespace, :id, :revision, 0, :now)
ON CONFLICT (namespace, id) DO UPDATE
SET revision = excluded.revision, deleted = 0, changed_at = excluded.changed_at

-- name: hide
-- The newest revision of a flow that nobody sees.
INSERT INTO flows (namespace, id, revision, deleted, changed_at)
VALUES (:namespace, :id, :revision, 1, :now)
ON CONFLICT (namespace, id) DO UPDATE
SET revision = excluded.revision, deleted = 1, changed_at = excluded.changed_at

-- name: add
-- A frozen text of a flow; who comes second with the same number adds nothing.
INSERT INTO revisions (namespace, id, revision, dialect, digest, source, model, created_at, created_by, labels)
VALUES (:namespace, :id, :revision, :dialect, :digest, :source, :model, :now, :by, :labels)
ON CONFLICT (namespace, id, revision) DO NOTHING

-- name: current
-- The newest revision of a flow that is not deleted.
SELECT r.namespace, r.id, r.revision, r.dialect, r.digest, r.source, r.model, r.created_at, r.created_by
FROM flows AS f JOIN revisions AS r ON r.namespace = f.namespace AND r.id = f.id AND r.revision = f.revision
WHERE f.namespace = :namespace AND f.id = :id AND f.deleted = 0

-- name: revision
-- One revision of a flow.
SELECT namespace, id, revision, dialect, digest, source, model, created_at, created_by
FROM revisions WHERE namespace = :namespace AND id = :id AND revision = :revision

-- name: revisions
-- Every revision of a flow, newest first.
SELECT namespace, id, revision, dialect, digest, source, model, created_at, created_by
FROM revisions WHERE namespace = :namespace AND id = :id ORDER BY revision DESC

-- name: of_triggers
-- The revisions that these triggers are of, each once.
SELECT model, revision FROM revisions
WHERE (namespace, id, revision) IN (SELECT t.namespace, t.flow, t.revision FROM triggers AS t WHERE t.key IN :keys[])

-- name: history
-- Revisions of a flow without their texts, newest first, from one on.
SELECT revision, dialect, digest, created_at, created_by FROM revisions
WHERE namespace = :namespace AND id = :id AND revision < :before ORDER BY revision DESC LIMIT :limit

-- name: newest
-- The number of the newest revision of a flow that is not deleted.
SELECT revision FROM flows WHERE namespace = :namespace AND id = :id AND deleted = 0

-- name: list
-- Flows that are not deleted, in the order of their names.
SELECT namespace, id, revision, changed_at FROM flows AS f WHERE deleted = 0 /*and*/ ORDER BY namespace, id

-- name: linked
-- The newest revisions that have a subflow, or a trigger that waits for runs.
SELECT r.model, f.revision FROM flows AS f
JOIN revisions AS r ON r.namespace = f.namespace AND r.id = f.id AND r.revision = f.revision
WHERE f.deleted = 0 AND (r.model LIKE '%"node":"subflow"%' OR r.model LIKE '%"trigger":"runs"%') /*and*/
ORDER BY f.namespace, f.id

-- name: namespaces
-- Namespaces with flows behind a name, with how many those are.
SELECT f.namespace, count(*) FROM flows AS f WHERE f.deleted = 0 AND f.namespace > :after /*and*/
GROUP BY f.namespace ORDER BY f.namespace LIMIT :limit

-- name: page+text
-- The text stands in its name.
lower(f.namespace || '.' || f.id) LIKE :text ESCAPE '\'

-- name: any+namespace
-- In a namespace or below it.
(f.namespace = :namespace OR f.namespace LIKE :below ESCAPE '\')

-- name: delete
-- The flow starts no more runs; its revisions stay for the runs there were.
UPDATE flows SET deleted = 1, changed_at = :now WHERE namespace = :namespace AND id = :id AND deleted = 0
