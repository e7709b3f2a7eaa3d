-- name: ended
-- Runs that ended before an instant and whose parent, if they have one, is not still going; oldest first.
SELECT id FROM runs AS run
WHERE ended_at < :before AND NOT EXISTS (
    SELECT 1 FROM runs AS above WHERE above.id = run.parent AND above.ended_at IS NULL)
ORDER BY ended_at LIMIT :limit

-- name: blobs
-- Files that only these runs' outputs name.
SELECT uri FROM outputs WHERE run_id IN :runs[] AND uri IS NOT NULL

-- name: runs
-- The runs themselves, last.
DELETE FROM runs WHERE id IN :runs[]

-- name: steps
-- Their steps.
DELETE FROM steps WHERE run_id IN :runs[]

-- name: loop_values
-- Their loops' values.
DELETE FROM loop_values WHERE run_id IN :runs[]

-- name: due
-- Timers, were there any left.
DELETE FROM due WHERE run_id IN :runs[]

-- name: inbox
-- Late events, which nobody will fold.
DELETE FROM inbox WHERE run_id IN :runs[]

-- name: events
-- Their story.
DELETE FROM events WHERE run_id IN :runs[]

-- name: attempts
-- Their attempts.
DELETE FROM attempts WHERE run_id IN :runs[]

-- name: outputs
-- Their outputs.
DELETE FROM outputs WHERE run_id IN :runs[]

-- name: metrics
-- Their numbers.
DELETE FROM metrics WHERE run_id IN :runs[]

-- name: cached
-- Results that they made, whose files go with them.
DELETE FROM cached_results WHERE run_id IN :runs[]

-- name: feed
-- Old rows of the feed.
DELETE FROM changes WHERE at < :before
