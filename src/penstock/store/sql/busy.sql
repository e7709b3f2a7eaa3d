-- How busy is the installation? Counts over the hot tables, which are small.

-- name: ready
-- How many attempts wait in each queue, and since when the oldest has.
SELECT queue, count(*), min(at) FROM ready_attempts GROUP BY queue ORDER BY queue

-- name: claimed
-- How many attempts of each queue are being made.
SELECT queue, count(*) FROM claimed_attempts GROUP BY queue ORDER BY queue

-- name: held
-- How many attempts each worker holds.
SELECT worker, count(*) FROM claimed_attempts GROUP BY worker ORDER BY worker

-- name: admitted
-- How much of each limit is in use, and how many have it.
SELECT limit_name, sum(weight), count(*) FROM admitted GROUP BY limit_name ORDER BY limit_name

-- name: blocked
-- How many wait for each limit, since when, and what it lets in.
SELECT limit_name, count(*), min(since), max(count), max(span) FROM blocked_attempts
GROUP BY limit_name ORDER BY limit_name
