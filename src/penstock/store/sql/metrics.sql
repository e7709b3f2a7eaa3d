-- name: append
-- A number that an attempt reported.
INSERT INTO metrics (run_id, step, attempt, name, kind, value, unit, tags, at)
VALUES (:run_id, :step, :attempt, :name, :kind, :value, :unit, :tags, :at)

-- name: every
-- The numbers of a run, in the order reported.
SELECT step, attempt, name, kind, value, unit, tags, at FROM metrics WHERE run_id = :run_id ORDER BY id
