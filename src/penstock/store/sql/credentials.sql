-- By what do people prove who they are? Everything is found by the hash of a secret.

-- name: open_session
-- Somebody has logged in.
INSERT INTO sessions (hash, person, created_at, seen_at, expires_at, origin)
VALUES (:hash, :person, :now, :now, :expires_at, :origin)

-- name: session
-- Whose session this is, with each of their grants (one row without any where they have none).
SELECT people.name, people.kind, '', '', sessions.seen_at, role, namespace, coalesce(actions, '[]')
FROM sessions JOIN people ON people.name = sessions.person AND people.disabled = 0
LEFT JOIN grants ON grants.person = people.name LEFT JOIN roles ON roles.name = grants.role
WHERE sessions.hash = :hash AND sessions.expires_at > :now AND sessions.seen_at > :idle

-- name: see_session
-- A session is in use; said now and then.
UPDATE sessions SET seen_at = :now WHERE hash = :hash AND seen_at < :now

-- name: close_session
-- A session is over.
DELETE FROM sessions WHERE hash = :hash

-- name: close_sessions
-- Somebody's sessions are over, but for one.
DELETE FROM sessions WHERE person = :person AND hash <> :but

-- name: sessions
-- The sessions of somebody, newest first.
SELECT created_at, seen_at, expires_at, origin FROM sessions WHERE person = :person AND expires_at > :now
ORDER BY created_at DESC

-- name: expire_sessions
-- Sessions past their time are removed.
DELETE FROM sessions WHERE expires_at <= :now OR seen_at <= :idle

-- name: add_token
-- A new token.
INSERT INTO tokens (hash, prefix, person, label, narrowed, created_at, created_by, expires_at)
VALUES (:hash, :prefix, :person, :label, :narrowed, :now, :by, :expires_at)

-- name: token
-- Whose token this is, with each of their grants (one row without any where they have none).
SELECT people.name, people.kind, tokens.prefix, tokens.narrowed, coalesce(tokens.used_at, 0), role, namespace,
       coalesce(actions, '[]')
FROM tokens JOIN people ON people.name = tokens.person AND people.disabled = 0
LEFT JOIN grants ON grants.person = people.name LEFT JOIN roles ON roles.name = grants.role
WHERE tokens.hash = :hash AND (tokens.expires_at IS NULL OR tokens.expires_at > :now)

-- name: use_token
-- A token is in use; said now and then.
UPDATE tokens SET used_at = :now WHERE hash = :hash AND (used_at IS NULL OR used_at < :now)

-- name: tokens
-- Tokens by owner and age; without a person everybody's.
SELECT prefix, person, label, narrowed, created_at, created_by, expires_at, used_at FROM tokens
WHERE :person = '' OR person = :person ORDER BY person, created_at, prefix

-- name: revoke_token
-- A token is worth nothing any more.
DELETE FROM tokens WHERE prefix = :prefix

-- name: invite
-- A link by which a password can be chosen once.
INSERT INTO invitations (hash, person, expires_at) VALUES (:hash, :person, :expires_at)

-- name: invitation
-- For whom a link is.
SELECT person FROM invitations WHERE hash = :hash AND expires_at > :now

-- name: take_invitation
-- A link is used up.
DELETE FROM invitations WHERE hash = :hash

-- name: withdraw
-- Nobody can use earlier links for a person, nor any that is past its time.
DELETE FROM invitations WHERE person = :person OR expires_at <= :now

-- name: wrong
-- How often logins by these have failed of late.
SELECT what, count, last_at, until FROM wrong_logins WHERE what IN :whats[]

-- name: try_login
-- A login is tried; until it is known to be right it is wrong. Nothing while none is to be tried.
INSERT INTO wrong_logins (what, count, last_at, until) VALUES (:what, 1, :now, 0)
ON CONFLICT (what) DO UPDATE
SET count = CASE WHEN wrong_logins.last_at <= :forgotten THEN 1 ELSE wrong_logins.count + 1 END, last_at = :now
WHERE wrong_logins.until <= :now
RETURNING count

-- name: wait
-- Nothing is to be tried for a while.
UPDATE wrong_logins SET until = :until WHERE what = :what

-- name: forgive_one
-- One failure was none.
UPDATE wrong_logins SET count = count - 1, until = 0 WHERE what = :what AND count > 0

-- name: forgive
-- A login was right.
DELETE FROM wrong_logins WHERE what = :what

-- name: forget_wrong
-- Failures of long ago do not count.
DELETE FROM wrong_logins WHERE last_at <= :before

-- name: send_login
-- A login goes to a provider.
INSERT INTO sent_logins (hash, nonce, verifier, expires_at) VALUES (:hash, :nonce, :verifier, :expires_at)

-- name: sent_login
-- A login that went to a provider not long ago.
SELECT nonce, verifier FROM sent_logins WHERE hash = :hash AND expires_at > :now

-- name: take_login
-- A login has come back.
DELETE FROM sent_logins WHERE hash = :hash

-- name: expire_logins
-- Logins that never came back are forgotten.
DELETE FROM sent_logins WHERE expires_at <= :now
