-- name: revision
-- A revision of a flow as it was when it left another store.
INSERT INTO revisions (namespace, id, revision, dialect, digest, source, model, created_at, created_by)
VALUES (:namespace, :id, :revision, :dialect, :digest, :source, :model, :created_at, :created_by)

-- name: flow
-- The newest revision of a flow is the highest that came.
INSERT INTO flows (namespace, id, revision, deleted, changed_at)
VALUES (:namespace, :id, :revision, 0, :created_at)
ON CONFLICT (namespace, id) DO UPDATE SET revision = excluded.revision, changed_at = excluded.changed_at
WHERE flows.revision < excluded.revision
