-- What SQLite says in words of its own when runs are counted.

-- name: any+scope
-- In one of these namespaces or below it.
EXISTS (SELECT 1 FROM json_each(:scope) AS top WHERE told.namespace = top.value
        OR substr(told.namespace, 1, length(top.value) + 1) = top.value || '.')
