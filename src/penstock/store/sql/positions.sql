-- name: get
-- How far somebody has read.
SELECT body FROM positions WHERE name = :name

-- name: put
-- Somebody has read so far.
INSERT INTO positions (name, body) VALUES (:name, :body)
ON CONFLICT (name) DO UPDATE SET body = excluded.body

-- name: begin
-- Somebody begins to read here, unless they have begun before.
INSERT INTO positions (name, body) VALUES (:name, :body) ON CONFLICT (name) DO NOTHING

-- name: drop
-- Somebody reads no more.
DELETE FROM positions WHERE name = :name
