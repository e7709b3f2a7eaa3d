-- How do a day's usage events become facts? Good ones are inserted once, the others are kept with their reason, and
-- rows of other days are looked at again where this day changes what was known about them.

-- Gathers rows of other loaded days whose fate this load may change.
CREATE OR REPLACE PROCEDURE dw.sp_find_pool(d date)
LANGUAGE plpgsql AS $$
BEGIN
    -- The first good row of an event counts: a later day's fact gives way to this day's row.
    IF EXISTS (SELECT FROM dw.loaded_batch WHERE batch_date > d) THEN
        PERFORM dw.reconsider_facts(ARRAY(
            SELECT f.event_id FROM dw.fact_feature_usage AS f
            JOIN staging.feature_usage AS s ON s.batch_date = d AND s.event_id = f.event_id
            WHERE f.batch_date > d));
    END IF;

    WITH again AS (
        DELETE FROM dq.rejected_rows AS r
        USING dw.loaded_batch AS b
        WHERE b.batch_date = r.batch_date AND r.batch_date <> d AND r.source_table = 'feature_usage'
          AND (r.reason = 'UNKNOWN_FK'
               AND EXISTS (SELECT FROM dw.dim_tenant WHERE tenant_id = r.record ->> 'tenant_id')
               AND EXISTS (SELECT FROM dw.dim_user WHERE user_id = r.record ->> 'user_id')
               AND EXISTS (SELECT FROM dw.dim_feature WHERE feature_code = r.record ->> 'feature_code')
               OR r.reason = 'DUPLICATE'
               AND NOT (EXISTS (SELECT FROM dw.fact_feature_usage WHERE event_id = (r.record ->> 'event_id')::bigint)
                        AND EXISTS (SELECT FROM dw.dim_tenant WHERE tenant_id = r.record ->> 'tenant_id')
                        AND EXISTS (SELECT FROM dw.dim_user WHERE user_id = r.record ->> 'user_id')
                        AND EXISTS (SELECT FROM dw.dim_feature WHERE feature_code = r.record ->> 'feature_code')))
        RETURNING r.batch_date, r.row_no, r.record
    )
    INSERT INTO pool (batch_date, row_no, event_id, tenant_id, user_id, feature_code, event_ts, duration_ms)
    SELECT batch_date, row_no, event_id, tenant_id, user_id, feature_code, event_ts, duration_ms
    FROM again, jsonb_to_record(record)
         AS x (event_id bigint, tenant_id text, user_id text, feature_code text, event_ts timestamp, duration_ms bigint);

    -- What was pulled out may come back as an unknown or a double of another row of the pool, and facts of other
    -- days that came after a row of the pool give way to it.
    PERFORM dw.reconsider_facts(ARRAY(
        SELECT f.event_id FROM dw.fact_feature_usage AS f JOIN pool AS p USING (event_id)
        WHERE (f.batch_date, f.row_no) > (p.batch_date, p.row_no)));
END $$;

CREATE OR REPLACE PROCEDURE dw.sp_load_usage(d date)
LANGUAGE plpgsql AS $$
DECLARE
    good     bigint;
    inserted bigint;
    missing  date;
BEGIN
    CALL dw.sp_find_pool(d);

    DROP TABLE IF EXISTS pg_temp.judged;
    CREATE TEMP TABLE judged ON COMMIT DROP AS
    SELECT c.*, t.tenant_key, u.user_key, f.feature_key,
           CASE WHEN c.event_id IS NULL OR c.tenant_id IS NULL OR c.user_id IS NULL OR c.feature_code IS NULL
                     OR c.event_ts IS NULL OR c.duration_ms IS NULL THEN 'NULL'
                WHEN c.duration_ms < 0 THEN 'NEGATIVE_DURATION'
                WHEN t.tenant_key IS NULL OR u.user_key IS NULL OR f.feature_key IS NULL THEN 'UNKNOWN_FK'
           END AS reason
    FROM (SELECT * FROM staging.feature_usage WHERE batch_date = d UNION ALL SELECT * FROM pool) AS c
    LEFT JOIN dw.dim_tenant  AS t ON t.tenant_id = c.tenant_id
    LEFT JOIN dw.dim_user    AS u ON u.user_id = c.user_id AND c.event_ts < u.valid_to
                                 AND (c.event_ts >= u.valid_from OR u.version_no = 1)
    LEFT JOIN dw.dim_feature AS f ON f.feature_code = c.feature_code;

    FOR missing IN
        SELECT DISTINCT event_ts::date FROM judged WHERE reason IS NULL EXCEPT SELECT date FROM dw.dim_date
    LOOP
        CALL dw.sp_seed_dim_date(missing, missing);
    END LOOP;

    -- In the order of the rows, so that of two with one key the first is the one that stays.
    INSERT INTO dw.fact_feature_usage
          (event_id, date_key, tenant_key, user_key, feature_key, event_ts, duration_ms, batch_date, row_no)
    SELECT event_id, date_key, tenant_key, user_key, feature_key, event_ts, duration_ms, batch_date, row_no
    FROM judged JOIN dw.dim_date ON date = event_ts::date
    WHERE reason IS NULL
    ORDER BY batch_date, row_no
    ON CONFLICT (event_id) DO NOTHING;
    GET DIAGNOSTICS inserted = ROW_COUNT;

    SELECT count(*) INTO good FROM judged WHERE reason IS NULL;
    IF inserted < good THEN
        UPDATE judged AS j SET reason = 'DUPLICATE'
        FROM dw.fact_feature_usage AS f
        WHERE j.reason IS NULL AND f.event_id = j.event_id AND (f.batch_date, f.row_no) <> (j.batch_date, j.row_no);
    END IF;

    INSERT INTO dq.rejected_rows (batch_date, source_table, row_no, reason, detail, record, found_by)
    SELECT batch_date, 'feature_usage', row_no, reason,
           CASE reason WHEN 'NULL' THEN 'missing: '
                           || array_to_string(ARRAY[CASE WHEN event_id IS NULL THEN 'event_id' END,
                                                    CASE WHEN tenant_id IS NULL THEN 'tenant_id' END,
                                                    CASE WHEN user_id IS NULL THEN 'user_id' END,
                                                    CASE WHEN feature_code IS NULL THEN 'feature_code' END,
                                                    CASE WHEN event_ts IS NULL THEN 'event_ts' END,
                                                    CASE WHEN duration_ms IS NULL THEN 'duration_ms' END], ', ')
                       WHEN 'NEGATIVE_DURATION' THEN 'duration_ms is ' || duration_ms
                       WHEN 'UNKNOWN_FK' THEN 'unknown: '
                           || array_to_string(ARRAY[CASE WHEN tenant_key IS NULL THEN 'tenant ' || tenant_id END,
                                                    CASE WHEN user_key IS NULL THEN 'user ' || user_id END,
                                                    CASE WHEN feature_key IS NULL THEN 'feature ' || feature_code END], ', ')
                       ELSE 'event_id is in an earlier row' END,
           to_jsonb(judged) - ARRAY['batch_date', 'row_no', 'reason', 'tenant_key', 'user_key', 'feature_key'], 'load'
    FROM judged
    WHERE reason IS NOT NULL;
END $$;
