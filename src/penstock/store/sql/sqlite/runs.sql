-- name: any+labels
-- Has every one of these labels, with these values.
NOT EXISTS (SELECT 1 FROM json_each(:labels) AS want WHERE NOT EXISTS (
    SELECT 1 FROM json_each(runs.labels) AS has WHERE has.key = want.key AND has.value = want.value))

-- name: any+scope
-- In one of these namespaces or below it.
EXISTS (SELECT 1 FROM json_each(:scope) AS top WHERE runs.namespace = top.value
        OR substr(runs.namespace, 1, length(top.value) + 1) = top.value || '.')
