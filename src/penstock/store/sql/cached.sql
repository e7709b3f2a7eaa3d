-- name: find
-- A result that has not expired.
SELECT run_id, step, body, uri, made_at FROM cached_results
WHERE key = :key AND (expires_at IS NULL OR expires_at > :now)

-- name: keep
-- A result, in the place of an earlier one.
INSERT INTO cached_results (key, run_id, step, body, uri, made_at, expires_at)
VALUES (:key, :run_id, :step, :body, :uri, :made_at, :expires_at)
ON CONFLICT (key) DO UPDATE
SET run_id = excluded.run_id, step = excluded.step, body = excluded.body, uri = excluded.uri,
    made_at = excluded.made_at, expires_at = excluded.expires_at

-- name: expire
-- Results past their time are removed.
DELETE FROM cached_results WHERE expires_at <= :now
