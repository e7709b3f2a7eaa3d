-- How does a day's users file change dw.dim_user? The history of every user it touches is built again from all
-- loaded days, so a day that arrives late lands where it belongs.

CREATE OR REPLACE FUNCTION dw.user_hash(tenant_id text, email text, role text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT md5(jsonb_build_array(tenant_id, email, role)::text)
$$;

-- The rows of loaded days that are complete and of a known tenant; of several with one day and user the first counts.
CREATE OR REPLACE VIEW dw.complete_user AS
SELECT s.batch_date, s.row_no, s.user_id, s.tenant_id, s.email, s.role, s.created_at,
       dw.user_hash(s.tenant_id, s.email, s.role) AS row_hash
FROM staging.user AS s
JOIN dw.loaded_batch USING (batch_date)
JOIN dw.dim_tenant USING (tenant_id)
WHERE s.user_id IS NOT NULL AND s.email IS NOT NULL AND s.role IS NOT NULL;

CREATE OR REPLACE PROCEDURE dw.sp_find_affected_users(d date)
LANGUAGE plpgsql AS $$
BEGIN
    WITH good_user AS MATERIALIZED (
        SELECT DISTINCT ON (user_id) user_id, row_hash FROM dw.complete_user WHERE batch_date = d ORDER BY user_id, row_no
    )
    INSERT INTO affected_user
    -- The day says something else than the version that covers it, or no version covers it.
    SELECT g.user_id FROM good_user AS g
    LEFT JOIN dw.dim_user AS u ON u.user_id = g.user_id AND u.valid_from <= d AND d < u.valid_to
    WHERE u.row_hash IS DISTINCT FROM g.row_hash
    UNION
    -- A version begins on the day, but the day (loaded again) no longer has the user.
    SELECT u.user_id FROM dw.dim_user AS u
    LEFT JOIN good_user AS g ON g.user_id = u.user_id
    WHERE u.valid_from = d AND g.user_id IS NULL
    UNION
    -- Rows of other days whose tenant has become known, or is no longer.
    SELECT r.record ->> 'user_id' FROM dq.rejected_rows AS r
    JOIN new_tenant AS n ON n.tenant_id = r.record ->> 'tenant_id'
    WHERE r.source_table = 'user' AND r.reason = 'UNKNOWN_FK'
    UNION
    SELECT r.record ->> 'user_id' FROM dq.rejected_rows AS r
    JOIN gone_tenant AS n ON n.tenant_id = r.record ->> 'tenant_id'
    WHERE r.source_table = 'user' AND r.reason = 'DUPLICATE'
    UNION
    SELECT u.user_id FROM dw.dim_user AS u JOIN gone_tenant USING (tenant_id);
END $$;

CREATE OR REPLACE PROCEDURE dw.sp_reject_users(d date)
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM dq.rejected_rows AS r USING affected_user AS a
    WHERE r.source_table = 'user' AND r.found_by = 'load' AND r.record ->> 'user_id' = a.user_id
      AND r.batch_date IN (SELECT batch_date FROM dw.loaded_batch);

    INSERT INTO dq.rejected_rows (batch_date, source_table, row_no, reason, detail, record, found_by)
    SELECT batch_date, 'user', row_no, reason,
           CASE reason WHEN 'NULL' THEN 'user_id, tenant_id, email or role is missing'
                       WHEN 'UNKNOWN_FK' THEN 'tenant ' || tenant_id || ' is unknown'
                       ELSE 'user_id is in an earlier row' END,
           to_jsonb(judged) - ARRAY['batch_date', 'row_no', 'reason'], 'load'
    FROM (
        SELECT flawed.batch_date, row_no, user_id, tenant_id, email, role, created_at,
               CASE WHEN flaw <> '' THEN flaw
                    WHEN row_number() OVER (PARTITION BY batch_date, user_id, flaw ORDER BY row_no) > 1 THEN 'DUPLICATE'
               END AS reason
        FROM (
            SELECT s.*, CASE WHEN s.user_id IS NULL OR s.tenant_id IS NULL OR s.email IS NULL OR s.role IS NULL THEN 'NULL'
                             WHEN t.tenant_id IS NULL THEN 'UNKNOWN_FK' ELSE '' END AS flaw
            FROM staging.user AS s
            JOIN dw.loaded_batch USING (batch_date)
            LEFT JOIN dw.dim_tenant AS t ON t.tenant_id = s.tenant_id
            WHERE s.batch_date = d OR s.user_id IN (SELECT user_id FROM affected_user)
        ) AS flawed
    ) AS judged
    WHERE reason IS NOT NULL;
END $$;

CREATE OR REPLACE PROCEDURE dw.sp_find_versions()
LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS pg_temp.fresh_version;
    CREATE TEMP TABLE fresh_version ON COMMIT DROP AS
    SELECT user_id, (row_number() OVER history)::integer AS version_no, tenant_id, email, role, created_at, row_hash,
           batch_date AS valid_from, coalesce(lead(batch_date) OVER history, 'infinity') AS valid_to,
           lead(batch_date) OVER history IS NULL AS is_current
    FROM (
        SELECT daily.*, lag(row_hash) OVER (PARTITION BY user_id ORDER BY batch_date) AS hash_before
        FROM (SELECT DISTINCT ON (user_id, batch_date) *
              FROM dw.complete_user JOIN affected_user USING (user_id)
              ORDER BY user_id, batch_date, row_no) AS daily
    ) AS seen
    WHERE hash_before IS DISTINCT FROM row_hash
    WINDOW history AS (PARTITION BY user_id ORDER BY batch_date);

    -- From when on does an event of a user that has facts belong to another version than before?
    INSERT INTO moved_user
    SELECT user_id, min(CASE WHEN version_no = 1 THEN '-infinity' ELSE valid_from END)
    FROM (
        SELECT coalesce(o.user_id, n.user_id) AS user_id, coalesce(o.valid_from, n.valid_from) AS valid_from,
               least(o.version_no, n.version_no) AS version_no
        FROM (SELECT u.* FROM dw.dim_user AS u JOIN affected_user USING (user_id)) AS o
        FULL JOIN fresh_version AS n ON n.user_id = o.user_id AND n.valid_from = o.valid_from
        WHERE o.user_id IS NULL OR n.user_id IS NULL
    ) AS difference
    WHERE user_id IN (SELECT user_id FROM dw.dim_user) AND user_id IN (SELECT user_id FROM fresh_version)
    GROUP BY user_id;
END $$;

CREATE OR REPLACE PROCEDURE dw.sp_load_users(d date)
LANGUAGE plpgsql AS $$
BEGIN
    CALL dw.sp_find_affected_users(d);
    CALL dw.sp_reject_users(d);
    CALL dw.sp_find_versions();

    -- A user whom no loaded day has any more: what it did is unknown again.
    PERFORM dw.reconsider_facts(ARRAY(
        SELECT event_id FROM dw.fact_feature_usage JOIN dw.dim_user AS u USING (user_key)
        WHERE u.user_id IN (SELECT user_id FROM affected_user EXCEPT SELECT user_id FROM fresh_version)));

    -- Three steps, because a user may have one current version only: end what is no longer, change, add.
    UPDATE dw.dim_user AS u SET is_current = false
    FROM affected_user AS a
    WHERE u.user_id = a.user_id AND u.is_current;
    UPDATE dw.dim_user AS u
    SET version_no = n.version_no, tenant_id = n.tenant_id, email = n.email, role = n.role, created_at = n.created_at,
        row_hash = n.row_hash, valid_to = n.valid_to, is_current = n.is_current
    FROM fresh_version AS n
    WHERE u.user_id = n.user_id AND u.valid_from = n.valid_from;
    INSERT INTO dw.dim_user (user_id, version_no, tenant_id, email, role, created_at, row_hash, valid_from, valid_to, is_current)
    SELECT user_id, version_no, tenant_id, email, role, created_at, row_hash, valid_from, valid_to, is_current
    FROM fresh_version AS n
    WHERE NOT EXISTS (SELECT FROM dw.dim_user AS u WHERE u.user_id = n.user_id AND u.valid_from = n.valid_from)
    ORDER BY user_id, valid_from;

    IF EXISTS (SELECT FROM moved_user) THEN
        UPDATE dw.fact_feature_usage AS f
        SET user_key = n.user_key
        FROM dw.dim_user AS o
        JOIN moved_user AS m ON m.user_id = o.user_id
        JOIN fresh_version AS v ON v.user_id = o.user_id
        JOIN dw.dim_user AS n ON n.user_id = v.user_id AND n.valid_from = v.valid_from
        WHERE o.user_key = f.user_key AND n.user_key <> f.user_key
          AND f.event_ts >= CASE WHEN v.version_no = 1 THEN '-infinity' ELSE v.valid_from END AND f.event_ts < v.valid_to
          AND f.date_key >= (SELECT CASE WHEN min(since) = '-infinity' THEN 0
                                         ELSE to_char(min(since), 'YYYYMMDD')::integer END FROM moved_user);
    END IF;
    DELETE FROM dw.dim_user AS u USING affected_user AS a
    WHERE u.user_id = a.user_id
      AND NOT EXISTS (SELECT FROM fresh_version AS n WHERE n.user_id = u.user_id AND n.valid_from = u.valid_from);
    ANALYZE dw.dim_user;
END $$;
