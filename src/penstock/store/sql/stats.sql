-- How many runs ended how, day by day? Rows that are only added are summed up into one for each flow, day and length.

-- name: append
-- A run has ended; or it has not, after all.
INSERT INTO run_ends (day, namespace, flow, status, length, runs, took)
VALUES (:day, :namespace, :flow, :status, :length, :runs, :took)

-- name: waiting
-- The oldest rows that are not summed up yet.
SELECT id, day, namespace, flow, status, length, runs, took FROM run_ends ORDER BY id LIMIT :most

-- name: any
-- Whether any row is not summed up, or nobody has begun to sum up.
SELECT 1 WHERE EXISTS (SELECT 1 FROM run_ends) OR NOT EXISTS (SELECT 1 FROM positions WHERE name = :name)

-- name: drop_waiting
-- Rows that are summed up now.
DELETE FROM run_ends WHERE id IN :ids[]

-- name: add
-- So many more of a kind.
INSERT INTO run_days (namespace, flow, day, status, length, runs, took)
VALUES (:namespace, :flow, :day, :status, :length, :runs, :took)
ON CONFLICT (namespace, flow, day, status, length) DO UPDATE
SET runs = run_days.runs + excluded.runs, took = run_days.took + excluded.took

-- name: hold
-- Only one sums up at a time; on SQLite the transaction itself is the lock.
SELECT 1 FROM positions WHERE name = :name

-- name: wait
-- The same, after whoever sums up now.
UPDATE positions SET body = body WHERE name = :name

-- name: summed
-- What is summed up, by flow and day, from a place on.
SELECT namespace, flow, day, status, length, runs, took FROM run_days AS told
WHERE (namespace, flow, day) > (:after_namespace, :after_flow, :after_day) AND day >= :since AND day < :until /*and*/
ORDER BY namespace, flow, day, status, length LIMIT :most

-- name: open
-- What is not summed up yet, likewise.
SELECT namespace, flow, day, status, length, CAST(sum(runs) AS BIGINT), CAST(sum(took) AS BIGINT) FROM run_ends AS told
WHERE (namespace, flow, day) > (:after_namespace, :after_flow, :after_day) AND day >= :since AND day < :until /*and*/
GROUP BY namespace, flow, day, status, length ORDER BY namespace, flow, day, status, length LIMIT :most

-- name: days
-- What both come to of all flows together, by day.
SELECT '', '', day, status, length, CAST(sum(runs) AS BIGINT), CAST(sum(took) AS BIGINT) FROM (
    SELECT day, status, length, runs, took FROM run_days AS told WHERE day >= :since AND day < :until /*and*/
    UNION ALL
    SELECT day, status, length, runs, took FROM run_ends AS told WHERE day >= :since AND day < :until /*and*/
) AS every
GROUP BY day, status, length ORDER BY day, status, length

-- name: any+namespace
-- In a namespace or below it.
(namespace = :namespace OR namespace LIKE :below ESCAPE '\')

-- name: any+flow
-- Of flows with this id.
flow = :flow

-- name: recounted
-- What the runs that are kept come to, and which rows are not summed up yet: both as of one moment.
SELECT namespace, flow, day, status, length, CAST(count(*) AS BIGINT), CAST(sum(took) AS BIGINT), CAST(0 AS BIGINT)
FROM (
    SELECT namespace, flow, day, status, took, CASE
        WHEN digits IS NULL THEN 0
        WHEN lead < 20 THEN digits * 100 + lead
        WHEN lead < 50 THEN digits * 100 + lead / 2 * 2
        ELSE digits * 100 + lead / 5 * 5 END AS length
    FROM (
        SELECT namespace, flow, day, status, took, length(millis) AS digits,
               CAST(substr(millis, 1, 2) AS BIGINT) AS lead
        FROM (
            SELECT namespace, flow, day, status, CASE WHEN took > 0 THEN took ELSE 0 END AS took,
                   CAST(CASE WHEN took > 0 THEN took / 1000 WHEN took <= 0 THEN 0 END AS TEXT) AS millis
            FROM (
                SELECT namespace, flow, created_at / 86400000000 AS day, status, ended_at - started_at AS took
                FROM runs WHERE created_at >= :since AND ended_at IS NOT NULL AND flow NOT LIKE '%~%'
            ) AS ended
        ) AS timed
    ) AS measured
) AS kept
GROUP BY namespace, flow, day, status, length
UNION ALL
SELECT '', '', day, '', 0, 0, 0, id FROM run_ends WHERE day >= :first
ORDER BY 1, 2, 3, 4, 5

-- name: clear
-- What was summed up of a day and those after it is counted anew.
DELETE FROM run_days WHERE day >= :first
