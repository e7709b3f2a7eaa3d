-- name: events
-- Only what stands outside the days: a day is dropped as a whole once none of its runs is kept.
DELETE FROM events_rest WHERE run_id IN :runs[]

-- name: attempts
-- Only what stands outside the days.
DELETE FROM attempts_rest WHERE run_id IN :runs[]

-- name: outputs
-- Only what stands outside the days.
DELETE FROM outputs_rest WHERE run_id IN :runs[]

-- name: metrics
-- Only what stands outside the days.
DELETE FROM metrics_rest WHERE run_id IN :runs[]
