-- name: register
-- A worker is there.
INSERT INTO workers (id, host, boot, pid, lock_path, beat_at, status, capacity, version, started_at, queues)
VALUES (:id, :host, :boot, :pid, :lock_path, :beat_at, :status, :capacity, :version, :started_at, :queues)
ON CONFLICT (id) DO UPDATE
SET host = excluded.host, boot = excluded.boot, pid = excluded.pid, lock_path = excluded.lock_path,
    beat_at = excluded.beat_at, status = excluded.status, capacity = excluded.capacity, version = excluded.version,
    queues = excluded.queues

-- name: beat
-- A worker says that it lives, unless it has been given up.
UPDATE workers SET beat_at = :at, status = :status WHERE id = :id

-- name: leave
-- A worker is no more.
DELETE FROM workers WHERE id = :id

-- name: list_workers
-- Workers that are registered.
SELECT id, host, boot, pid, lock_path, beat_at, status, capacity, version, started_at, queues
FROM workers ORDER BY id

-- name: dead
-- Workers that have been silent for too long, or are of another boot of this machine.
SELECT id, host, boot, pid, lock_path, beat_at, status, capacity, version, started_at, queues
FROM workers WHERE beat_at < :before OR (:boot <> '' AND boot <> :boot) ORDER BY id
