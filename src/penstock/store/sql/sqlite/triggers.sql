-- name: list+scope
-- In one of these namespaces or below it.
EXISTS (SELECT 1 FROM json_each(:scope) AS top WHERE t.namespace = top.value
        OR substr(t.namespace, 1, length(top.value) + 1) = top.value || '.')
