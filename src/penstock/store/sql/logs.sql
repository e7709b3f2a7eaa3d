-- name: append
-- A chunk; said twice is said once.
INSERT INTO log_chunks (run_id, step, attempt, seq, first_at, last_at, start, length, lines, streams, levels, body)
VALUES (:run_id, :step, :attempt, :seq, :first_at, :last_at, :offset, :length, :lines, :streams, :levels, :body)
ON CONFLICT (run_id, step, attempt, seq) DO NOTHING

-- name: keys
-- Which chunks hold a byte of what is wanted, in the order written; bodies are fetched after it, a few at a time.
SELECT step, attempt, seq FROM log_chunks
WHERE run_id = :run_id AND start + length > :first AND start < :last /*and*/
ORDER BY first_at, step, attempt, seq

-- name: one
-- One chunk.
SELECT run_id, step, attempt, seq, first_at, last_at, start, length, lines, streams, levels, body FROM log_chunks
WHERE run_id = :run_id AND step = :step AND attempt = :attempt AND seq = :seq

-- name: page
-- Chunks in the order written, from a place on.
SELECT run_id, step, attempt, seq, first_at, last_at, start, length, lines, streams, levels, body FROM log_chunks
WHERE run_id = :run_id AND (first_at, step, attempt, seq) >= (:at, :from_step, :from_attempt, :from_seq) /*and*/
ORDER BY first_at, step, attempt, seq LIMIT :limit

-- name: back
-- Chunks against the order written, from a place back.
SELECT run_id, step, attempt, seq, first_at, last_at, start, length, lines, streams, levels, body FROM log_chunks
WHERE run_id = :run_id AND (first_at, step, attempt, seq) <= (:at, :from_step, :from_attempt, :from_seq) /*and*/
ORDER BY first_at DESC, step DESC, attempt DESC, seq DESC LIMIT :limit

-- name: newer
-- Where the chunks stand that began at an instant or later.
SELECT first_at, step, attempt, seq FROM log_chunks
WHERE run_id = :run_id AND first_at >= :at /*and*/ ORDER BY first_at, step, attempt, seq LIMIT :limit

-- name: any+step
-- Of one step.
step = :step

-- name: any+attempt
-- Of one attempt.
attempt = :attempt

-- name: any+mask
-- With a line of one of these levels, as bits.
(levels & :mask) <> 0

-- name: size
-- Bytes of text.
SELECT coalesce(sum(length), 0) FROM log_chunks WHERE run_id = :run_id /*and*/

-- name: tail
-- Where the next chunk of an attempt goes on.
SELECT seq + 1, start + length FROM log_chunks
WHERE run_id = :run_id AND step = :step AND attempt = :attempt ORDER BY seq DESC LIMIT 1

-- name: forget
-- Logs of runs that are removed themselves.
DELETE FROM log_chunks WHERE run_id IN :runs[]

-- name: delete
-- Logs of runs that are not kept any more.
DELETE FROM log_chunks WHERE run_id IN :runs[]
