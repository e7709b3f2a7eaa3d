-- name: locked
-- These triggers as they are now, locked in one order until the transaction ends.
SELECT key, version FROM triggers WHERE key IN :keys[] ORDER BY key FOR UPDATE
