-- name: forget
-- Only what stands outside the days: a day is dropped as a whole once none of its runs is kept.
DELETE FROM log_chunks_rest WHERE run_id IN :runs[]
