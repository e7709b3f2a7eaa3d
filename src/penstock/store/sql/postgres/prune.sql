-- name: ended
-- Runs that ended before an instant and whose parent, if they have one, is not still going; oldest first. They are held
-- before anything of theirs is removed: else who restarts or folds one beside it leaves rows of a run that is gone, or
-- waits for this while this waits for it. Who has one just now keeps it until the next time.
SELECT id FROM runs AS run
WHERE ended_at < :before AND NOT EXISTS (
    SELECT 1 FROM runs AS above WHERE above.id = run.parent AND above.ended_at IS NULL)
ORDER BY ended_at LIMIT :limit FOR UPDATE OF run SKIP LOCKED

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
