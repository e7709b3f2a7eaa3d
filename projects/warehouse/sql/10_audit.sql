-- Is what was loaded for a day worth being used? Each question is a row of dq.audit_checks with a yes or a no.
CREATE OR REPLACE VIEW dq.day_counts AS
SELECT b.batch_date,
       (SELECT count(*) FROM staging.tenant WHERE batch_date = b.batch_date)        AS tenants_staged,
       (SELECT count(*) FROM staging.user WHERE batch_date = b.batch_date)          AS users_staged,
       (SELECT count(*) FROM staging.feature_usage WHERE batch_date = b.batch_date) AS events_staged,
       (SELECT count(*) FROM dw.fact_feature_usage WHERE batch_date = b.batch_date) AS events_loaded,
       (SELECT count(*) FROM dq.rejected_rows WHERE batch_date = b.batch_date)      AS rows_rejected
FROM dw.loaded_batch AS b;

CREATE OR REPLACE FUNCTION dq.audit(d date) RETURNS TABLE (check_name text, expected text, actual text, passed boolean)
LANGUAGE sql STABLE
SET jit = off
AS $$
    WITH counts AS (
        SELECT coalesce(max(events_staged), 0) AS staged, coalesce(max(events_loaded), 0) AS loaded
        FROM dq.day_counts WHERE batch_date = d
    ), rejected AS (
        SELECT count(*) FILTER (WHERE source_table = 'feature_usage' AND found_by = 'load') AS by_load,
               count(*) FILTER (WHERE source_table = 'feature_usage') AS events,
               count(*) FILTER (WHERE found_by = 'extract') AS by_extract
        FROM dq.rejected_rows WHERE batch_date = d
    ), extracted AS (
        SELECT sum(rows_read) AS rows_read, sum(rows_written) AS rows_written
        FROM dq.etl_run
        WHERE batch_date = d AND step = 'extract' AND status = 'success'
          AND run_id = (SELECT run_id FROM dq.etl_run WHERE batch_date = d AND step = 'extract' AND status = 'success'
                        ORDER BY ended_at DESC LIMIT 1)
    )
    SELECT 'the day is loaded', '1', count(*)::text, count(*) = 1 FROM dw.loaded_batch WHERE batch_date = d
    UNION ALL
    SELECT 'every exported line is staged or rejected', coalesce(rows_read, 0)::text,
           (coalesce(rows_written, 0) + by_extract)::text, coalesce(rows_read, 0) = coalesce(rows_written, 0) + by_extract
    FROM extracted, rejected
    UNION ALL
    SELECT 'every staged event is loaded or rejected', staged::text, (loaded + by_load)::text, staged = loaded + by_load
    FROM counts, rejected
    UNION ALL
    SELECT 'at least one event is loaded', '> 0', loaded::text, loaded > 0 FROM counts
    UNION ALL
    SELECT 'at most a tenth of the events is rejected', '<= ' || (staged + events - by_load) / 10, events::text,
           events * 10 <= staged + events - by_load
    FROM counts, rejected
    UNION ALL
    SELECT 'every fact has its dimensions', '0', count(*)::text, count(*) = 0
    FROM dw.fact_feature_usage AS f
    LEFT JOIN dw.dim_date AS c USING (date_key)
    LEFT JOIN dw.dim_tenant AS t USING (tenant_key)
    LEFT JOIN dw.dim_user AS u USING (user_key)
    LEFT JOIN dw.dim_feature AS p USING (feature_key)
    WHERE f.batch_date = d
      AND (c.date_key IS NULL OR t.tenant_key IS NULL OR u.user_key IS NULL OR p.feature_key IS NULL)
    UNION ALL
    SELECT 'every user has one history without gaps', '0', count(*)::text, count(*) = 0
    FROM (SELECT valid_to, is_current, lead(valid_from) OVER (PARTITION BY user_id ORDER BY valid_from) AS next_from
          FROM dw.dim_user) AS history
    WHERE valid_to <> coalesce(next_from, 'infinity') OR is_current <> (next_from IS NULL)
    UNION ALL
    SELECT 'all features are known', '18', count(*)::text, count(*) = 18 FROM dw.dim_feature
$$;

-- Writes the answers. In a transaction of its own they stay even when the next step fails because of them.
CREATE OR REPLACE PROCEDURE dq.sp_audit(batch_date date)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    d date := sp_audit.batch_date;
BEGIN
    DELETE FROM dq.audit_checks WHERE batch_date = d;
    INSERT INTO dq.audit_checks (batch_date, check_name, expected, actual, passed) SELECT d, * FROM dq.audit(d);
END $$;

-- Raises when an answer is no, and names them all; otherwise says how many were asked.
CREATE OR REPLACE FUNCTION dq.assert_audit(batch_date date) RETURNS integer
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    d      date := assert_audit.batch_date;
    failed text;
    asked  integer;
BEGIN
    SELECT count(*), string_agg(format('%s: expected %s, found %s', check_name, expected, actual), '; ' ORDER BY check_name)
                     FILTER (WHERE NOT passed)
    INTO asked, failed
    FROM dq.audit_checks WHERE batch_date = d;
    IF asked = 0 THEN
        RAISE EXCEPTION 'nobody audited %', d USING HINT = 'CALL dq.sp_audit first.';
    ELSIF failed IS NOT NULL THEN
        RAISE EXCEPTION 'audit of % failed: %', d, failed;
    END IF;
    RETURN asked;
END $$;
