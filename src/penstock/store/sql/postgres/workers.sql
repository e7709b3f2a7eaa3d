-- name: dead
-- Workers that have been silent for too long, or are of another boot of this machine.
SELECT id, host, boot, pid, lock_path, beat_at, status, capacity, version, started_at, queues
FROM workers WHERE beat_at < :before OR (:boot::text <> '' AND boot <> :boot::text) ORDER BY id
