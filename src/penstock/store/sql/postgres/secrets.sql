-- name: locked_keys
-- The data keys, theirs alone who asks until the transaction ends.
SELECT namespace, number, master, wrapped FROM secret_keys ORDER BY namespace, number FOR UPDATE

-- name: key_in_use
-- The newest data key of a namespace, which stays until the transaction ends.
SELECT namespace, number, master, wrapped FROM secret_keys
WHERE namespace = :namespace ORDER BY number DESC LIMIT 1 FOR SHARE
