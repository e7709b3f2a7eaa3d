-- name: set_slots
-- A pool has a size.
INSERT INTO pools (name, slots, changed_at) VALUES (:name, :slots, :now)
ON CONFLICT (name) DO UPDATE SET slots = excluded.slots, changed_at = excluded.changed_at

-- name: slots
-- A pool's size.
SELECT slots FROM pools WHERE name = :name

-- name: delete
-- A pool is no more.
DELETE FROM pools WHERE name = :name

-- name: every
-- All pools, with what is in use of them and who waits.
SELECT name, slots,
       coalesce((SELECT sum(weight) FROM admitted AS a WHERE a.limit_name = :prefix || pools.name), 0),
       (SELECT count(*) FROM blocked_attempts AS b WHERE b.limit_name = :prefix || pools.name), changed_at
FROM pools ORDER BY name

-- name: unknown
-- Pools that somebody waits for and that have no size.
SELECT DISTINCT limit_name FROM blocked_attempts
WHERE limit_name LIKE :prefix || '%' AND NOT EXISTS (SELECT 1 FROM pools WHERE :prefix || pools.name = limit_name)
ORDER BY 1
