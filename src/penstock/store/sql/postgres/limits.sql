-- name: lock
-- Limits in the order of their names, so that two admissions never wait for each other.
SELECT name FROM limits WHERE name IN :names[] ORDER BY name FOR UPDATE
