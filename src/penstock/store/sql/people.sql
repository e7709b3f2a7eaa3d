-- Who is there, and what were they granted?

-- name: add
-- Somebody new; nothing where the name is taken.
INSERT INTO people (name, kind, password, disabled, created_at, changed_at) VALUES (:name, :kind, :password, 0, :now, :now)
ON CONFLICT (name) DO NOTHING

-- name: get
-- Somebody by name, without the hash of a password.
SELECT name, kind, CASE WHEN password = '' THEN 0 ELSE 1 END, disabled, created_at, changed_at FROM people
WHERE name = :name

-- name: every
-- Everybody by name, without the hashes of passwords.
SELECT name, kind, CASE WHEN password = '' THEN 0 ELSE 1 END, disabled, created_at, changed_at FROM people ORDER BY name

-- name: password
-- The hash that a login is held against.
SELECT password FROM people WHERE name = :name AND kind = 'user' AND disabled = 0

-- name: set_password
-- Somebody has a new password.
UPDATE people SET password = :password, changed_at = :now WHERE name = :name

-- name: disable
-- Somebody may not come in any more, or again.
UPDATE people SET disabled = :disabled, changed_at = :now WHERE name = :name

-- name: any
-- Whether anybody is there.
SELECT 1 FROM people LIMIT 1

-- name: grant
-- Somebody has a role in a namespace.
INSERT INTO grants (person, namespace, role, granted_at, granted_by) VALUES (:person, :namespace, :role, :now, :by)
ON CONFLICT (person, namespace, role) DO NOTHING

-- name: revoke
-- Somebody has a role in a namespace no more.
DELETE FROM grants WHERE person = :person AND namespace = :namespace AND role = :role

-- name: grants
-- What everybody was granted, with what own roles allow.
SELECT person, role, namespace, coalesce(actions, '[]') FROM grants LEFT JOIN roles ON roles.name = grants.role
ORDER BY person, namespace, role

-- name: grants_of
-- What somebody was granted, with what own roles allow.
SELECT role, namespace, coalesce(actions, '[]') FROM grants LEFT JOIN roles ON roles.name = grants.role
WHERE person = :person ORDER BY namespace, role

-- name: set_role
-- An own role, new or changed.
INSERT INTO roles (name, actions, changed_at) VALUES (:name, :actions, :now)
ON CONFLICT (name) DO UPDATE SET actions = excluded.actions, changed_at = excluded.changed_at

-- name: remove_role
-- An own role is no more; nothing is done while somebody has it.
DELETE FROM roles WHERE name = :name AND NOT EXISTS (SELECT 1 FROM grants WHERE role = :name)

-- name: roles
-- The own roles by name.
SELECT name, actions, changed_at FROM roles ORDER BY name

-- name: link
-- Somebody is known to a provider of logins; nothing where that one is somebody else already.
INSERT INTO identities (issuer, subject, person) VALUES (:issuer, :subject, :person)
ON CONFLICT (issuer, subject) DO NOTHING

-- name: linked
-- Who this is, as a provider knows them.
SELECT person FROM identities WHERE issuer = :issuer AND subject = :subject

-- name: owners
-- Who owns everything; one database at a time changes that.
SELECT person FROM grants WHERE role = 'owner' AND namespace = '' ORDER BY person
