-- name: list+labels
-- Has every one of these labels, with these values.
NOT EXISTS (SELECT 1 FROM json_each(:labels) AS want WHERE NOT EXISTS (
    SELECT 1 FROM json_each(runs.labels) AS has WHERE has.key = want.key AND has.value = want.value))
