-- name: get
-- What is known of a branch.
SELECT name, version, looked_commit, looked_at, applied_commit, applied_at, problems, wanted_at FROM git_sources
WHERE name = :name

-- name: every
-- What is known of all branches.
SELECT name, version, looked_commit, looked_at, applied_commit, applied_at, problems, wanted_at FROM git_sources
ORDER BY name

-- name: begin
-- A branch that nothing is known of yet.
INSERT INTO git_sources (name, version, looked_commit, looked_at, applied_commit, applied_at, problems, wanted_at)
VALUES (:name, 0, '', 0, '', 0, '', :wanted_at)
ON CONFLICT (name) DO NOTHING

-- name: want
-- Somebody wants a branch looked at.
UPDATE git_sources SET wanted_at = :wanted_at WHERE name = :name

-- name: put
-- What came of a look, as long as nobody else has looked meanwhile.
UPDATE git_sources SET version = version + 1, looked_commit = :looked_commit, looked_at = :looked_at,
    applied_commit = :applied_commit, applied_at = :applied_at, problems = :problems
WHERE name = :name AND version = :version

-- name: held
-- What a branch has brought.
SELECT kind, namespace, name FROM git_held WHERE source = :source ORDER BY kind, namespace, name

-- name: hold
-- Something that a branch has brought.
INSERT INTO git_held (source, kind, namespace, name) VALUES (:source, :kind, :namespace, :name)
ON CONFLICT (source, kind, namespace, name) DO NOTHING

-- name: release
-- Something that it does not bring any more.
DELETE FROM git_held WHERE source = :source AND kind = :kind AND namespace = :namespace AND name = :name

-- name: take
-- Something that another branch holds no more, since this one has brought it.
DELETE FROM git_held WHERE source <> :source AND kind = :kind AND namespace = :namespace AND name = :name
