-- Rows of the audit in some namespaces, as SQLite finds them.

-- name: any+scope
-- In one of these namespaces or below it.
EXISTS (SELECT 1 FROM json_each(:scope) AS top WHERE told.namespace = top.value
        OR substr(told.namespace, 1, length(top.value) + 1) = top.value || '.')
