-- name: get
-- Who leads, and until when.
SELECT name, holder, fence, until FROM leaders WHERE name = :name

-- name: take
-- The lead passes to who asks when it is nobody's any more; each time with a higher fence.
INSERT INTO leaders (name, holder, fence, until) VALUES (:name, :holder, 1, :until)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = leaders.fence + 1, until = excluded.until
WHERE leaders.until < :now OR leaders.holder = :dead
RETURNING fence

-- name: keep
-- The lead stays with who has it; nothing happens when it has passed on.
UPDATE leaders SET until = :until WHERE name = :name AND holder = :holder AND fence = :fence
