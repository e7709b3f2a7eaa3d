-- What was done, and by whom? Rows are only ever added; they are moved once, when they are sealed.

-- name: append
-- Something was done; said twice it is said once, even when the first was sealed meanwhile.
INSERT INTO audit_open (id, at, who, kind, via, origin, action, verb, object, namespace, detail)
SELECT :id, :at, :who, :kind, :via, :origin, :action, :verb, :object, :namespace, :detail
WHERE NOT EXISTS (SELECT 1 FROM audit WHERE id = :id)
ON CONFLICT (id) DO NOTHING

-- name: page
-- Sealed rows before one, newest first.
SELECT id, at, who, kind, via, origin, action, verb, object, namespace, detail, seal FROM audit AS told
WHERE id < :before /*and*/
ORDER BY id DESC LIMIT :most

-- name: open
-- The same of rows without a seal.
SELECT id, at, who, kind, via, origin, action, verb, object, namespace, detail, 0 FROM audit_open AS told
WHERE id < :before /*and*/
ORDER BY id DESC LIMIT :most

-- name: any+who
-- By somebody.
who = :who

-- name: any+verb
-- Of one kind.
verb = :verb

-- name: any+action
-- For which this right is needed.
action = :action

-- name: any+namespace
-- In a namespace or below it.
(namespace = :namespace OR namespace LIKE :below ESCAPE '\')

-- name: any+since
-- From an instant on.
at >= :since

-- name: any+until
-- Before an instant.
at < :until

-- name: waiting
-- The oldest rows without a seal.
SELECT id, at, who, kind, via, origin, action, verb, object, namespace, detail FROM audit_open ORDER BY id LIMIT :most

-- name: unsealed
-- How many rows have no seal.
SELECT count(*) FROM audit_open

-- name: drop_waiting
-- Rows that are sealed now.
DELETE FROM audit_open WHERE id IN :ids[]

-- name: put
-- A row with its place in a seal.
INSERT INTO audit (seal, place, id, at, who, kind, via, origin, action, verb, object, namespace, detail)
VALUES (:seal, :place, :id, :at, :who, :kind, :via, :origin, :action, :verb, :object, :namespace, :detail)

-- name: last_seal
-- The newest seal.
SELECT number, at, hashes, before, hash FROM audit_seals ORDER BY number DESC LIMIT 1

-- name: seals
-- Seals in order from one on.
SELECT number, at, hashes, before, hash FROM audit_seals WHERE number > :after ORDER BY number LIMIT :most

-- name: seal
-- A seal; nothing where another one has its number.
INSERT INTO audit_seals (number, at, hashes, before, hash) VALUES (:number, :at, :hashes, :before, :hash)
ON CONFLICT (number) DO NOTHING

-- name: sealed
-- The rows of some seals, in order.
SELECT seal, place, id, at, who, kind, via, origin, action, verb, object, namespace, detail FROM audit
WHERE seal > :after AND seal <= :last ORDER BY seal, place

-- name: seal_before
-- The newest seal from before an instant, of the oldest ones, and never the newest of all.
SELECT number, at, hashes, before, hash FROM audit_seals
WHERE at < :instant AND number < (SELECT max(number) FROM audit_seals)
  AND number < (SELECT min(number) FROM audit_seals) + :most
ORDER BY number DESC LIMIT 1

-- name: forget_acts
-- Rows of the oldest seals are removed.
DELETE FROM audit WHERE seal <= :last

-- name: forget_seals
-- The oldest seals are removed.
DELETE FROM audit_seals WHERE number <= :last

-- name: told
-- Acts of one kind, newest first, sealed or not.
SELECT detail FROM audit WHERE verb = :verb UNION ALL SELECT detail FROM audit_open WHERE verb = :verb

-- name: strays
-- How many rows belong to no seal from the first to the last.
SELECT (SELECT count(*) FROM audit WHERE seal > :last OR seal < 1)
     + (SELECT count(*) FROM audit_seals WHERE number > :last OR number < 1)

-- name: namespace_of
-- Where a run belongs.
SELECT namespace FROM runs WHERE id = :id
