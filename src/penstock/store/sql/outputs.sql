-- name: put
-- What an attempt handed on; said twice, the later word stands.
INSERT INTO outputs (run_id, step, attempt, node, body, uri, size)
VALUES (:run_id, :step, :attempt, :node, :body, :uri, :size)
ON CONFLICT (run_id, step, attempt) DO UPDATE SET body = excluded.body, uri = excluded.uri, size = excluded.size

-- name: load
-- Outputs of steps, older attempts before newer ones.
SELECT step, attempt, body, uri, size FROM outputs WHERE run_id = :run_id AND step IN :keys[] ORDER BY attempt

-- name: of_nodes
-- Outputs of nodes in whichever iteration, older attempts before newer ones.
SELECT step, attempt, body, uri, size FROM outputs WHERE run_id = :run_id AND step IN :nodes[] AND step = node
UNION ALL
SELECT step, attempt, body, uri, size FROM outputs WHERE run_id = :run_id AND node IN :nodes[] AND step <> node
ORDER BY attempt

-- name: every
-- All outputs of a run, older attempts before newer ones.
SELECT step, attempt, body, uri, size FROM outputs WHERE run_id = :run_id ORDER BY attempt, step

-- name: keep_values
-- One chunk of a loop's values.
INSERT INTO loop_values (run_id, step, chunk, body) VALUES (:run_id, :step, :chunk, :body)
ON CONFLICT (run_id, step, chunk) DO UPDATE SET body = excluded.body

-- name: values_chunk
-- One chunk of a loop's values.
SELECT body FROM loop_values WHERE run_id = :run_id AND step = :step AND chunk = :chunk

-- name: copy_values
-- A replay goes through the same loop values.
INSERT INTO loop_values (run_id, step, chunk, body)
SELECT :new_run, step, chunk, body FROM loop_values WHERE run_id = :old_run
ON CONFLICT DO NOTHING

-- name: of_step
-- Outputs of all attempts of one step, older ones first.
SELECT step, attempt, body, uri, size FROM outputs WHERE run_id = :run_id AND step = :step ORDER BY attempt
