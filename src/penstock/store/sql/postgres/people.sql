-- What of people PostgreSQL says in other words.

-- name: owners
-- Who owns everything; whoever else is about to change that waits, and looks then.
SELECT person FROM grants WHERE role = 'owner' AND namespace = '' ORDER BY person FOR UPDATE
