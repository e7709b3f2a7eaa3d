-- Which alerts are kept, and which stand open?

-- name: put
-- A rule, new or changed.
INSERT INTO alert_rules (id, namespace, watches, patience, tells_namespace, tells, url, made_at, made_by)
VALUES (:id, :namespace, :watches, :patience, :tells_namespace, :tells, :url, :made_at, :made_by)
ON CONFLICT (id) DO UPDATE
SET namespace = excluded.namespace, watches = excluded.watches, patience = excluded.patience,
    tells_namespace = excluded.tells_namespace, tells = excluded.tells, url = excluded.url,
    made_at = excluded.made_at, made_by = excluded.made_by

-- name: drop
-- A rule is no more.
DELETE FROM alert_rules WHERE id = :id

-- name: drop_old
-- A rule is no more of those that servers of the version before made.
DELETE FROM alerts WHERE id = :id

-- name: every
-- The rules.
SELECT id, namespace, watches, patience, tells_namespace, tells, made_at, made_by, url FROM alert_rules
UNION ALL
SELECT id, namespace, watches, patience, tells_namespace, tells, made_at, made_by, '' FROM alerts AS a
WHERE NOT EXISTS (SELECT 1 FROM alert_rules AS r WHERE r.id = a.id)
ORDER BY 1

-- name: call
-- A call is to be made, unless that is known.
INSERT INTO alert_calls (id, alert, body, made_at, tries, next_at)
VALUES (:id, :alert, :body, :made_at, :tries, :next_at)
ON CONFLICT (id) DO NOTHING

-- name: due_calls
-- Calls that are to be made now.
SELECT id, alert, body, made_at, tries, next_at FROM alert_calls WHERE next_at <= :now ORDER BY next_at LIMIT :limit

-- name: waiting_calls
-- How many calls are still to be made.
SELECT count(*) FROM alert_calls

-- name: called
-- A call was made, or is given up.
DELETE FROM alert_calls WHERE id = :id

-- name: put_off
-- A call is to be tried again.
UPDATE alert_calls SET tries = :tries, next_at = :next_at WHERE id = :id

-- name: drop_calls
-- Calls of a rule that is no more.
DELETE FROM alert_calls WHERE alert = :alert

-- name: standing
-- What was told of and is not over.
SELECT alert, object, since FROM alerts_open ORDER BY alert, object

-- name: begin
-- Something was told of.
INSERT INTO alerts_open (alert, object, since) VALUES (:alert, :object, :since)
ON CONFLICT (alert, object) DO NOTHING

-- name: close
-- Something is over.
DELETE FROM alerts_open WHERE alert = :alert AND object = :object

-- name: close_all
-- All of a rule is over.
DELETE FROM alerts_open WHERE alert = :alert

-- name: ends
-- Runs that ended, in their order; those of triggers that look left out.
SELECT id, namespace, flow, status, ended_at FROM runs
WHERE ended_at >= :since AND flow NOT LIKE '%~%' ORDER BY ended_at, id LIMIT :limit

-- name: late
-- Runs that began before an instant and have not ended.
SELECT id, namespace, flow FROM runs
WHERE status = 'running' AND started_at <= :before AND flow NOT LIKE '%~%' ORDER BY id LIMIT :limit

-- name: behind
-- Triggers whose time came before an instant; not while a run goes that must end first.
SELECT key, namespace, flow FROM triggers AS t
WHERE next_at <= :before AND off_by = '' AND kind IN ('schedule', 'interval', 'rule', 'dates')
  AND (holds = '' OR NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.id = t.holds AND r.ended_at IS NULL))
ORDER BY next_at, key LIMIT :limit
