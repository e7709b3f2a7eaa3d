-- name: any+scope
-- In one of these namespaces or below it.
EXISTS (SELECT 1 FROM json_each(:scope) AS top WHERE f.namespace = top.value
        OR substr(f.namespace, 1, length(top.value) + 1) = top.value || '.')
