-- How does one day get from staging into the star schema? In one transaction, any number of times, in any order.
CREATE OR REPLACE PROCEDURE dw.sp_load_staging_to_dw(batch_date date)
LANGUAGE plpgsql
SET work_mem = '128MB'
SET client_min_messages = warning
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    d       date := sp_load_staging_to_dw.batch_date;
    started timestamptz := clock_timestamp();
BEGIN
    -- One load at a time: the dimensions belong to all days. What is read below is read after the lock was had.
    PERFORM pg_advisory_xact_lock(hashtext('dw.sp_load_staging_to_dw'));
    IF NOT EXISTS (SELECT FROM staging.tenant WHERE batch_date = d)
       AND NOT EXISTS (SELECT FROM staging.user WHERE batch_date = d)
       AND NOT EXISTS (SELECT FROM staging.feature_usage WHERE batch_date = d) THEN
        RAISE EXCEPTION 'staging holds no row of %', d
            USING HINT = 'Run scripts/phase1_s3_to_staging.py for this day first.';
    END IF;

    INSERT INTO dw.loaded_batch (batch_date, loaded_at) VALUES (d, now())
    ON CONFLICT ON CONSTRAINT loaded_batch_pkey DO UPDATE SET loaded_at = EXCLUDED.loaded_at;
    DELETE FROM dq.rejected_rows WHERE batch_date = d AND found_by = 'load';
    DELETE FROM dw.fact_feature_usage WHERE batch_date = d;

    CALL dw.sp_open_load();
    CALL dw.sp_load_tenants(d);
    CALL dw.sp_load_users(d);
    CALL dw.sp_load_usage(d);

    -- The load belongs to the run that staged the day last.
    INSERT INTO dq.etl_run (run_id, batch_date, step, status, rows_read, rows_written, rows_rejected, started_at, ended_at)
    SELECT coalesce((SELECT run_id FROM dq.etl_run WHERE batch_date = d AND step = 'extract' AND status = 'success'
                     ORDER BY ended_at DESC LIMIT 1), 'manual'),
           d, 'load', 'success',
           (SELECT count(*) FROM staging.feature_usage WHERE batch_date = d),
           (SELECT count(*) FROM dw.fact_feature_usage WHERE batch_date = d),
           (SELECT count(*) FROM dq.rejected_rows
            WHERE batch_date = d AND source_table = 'feature_usage' AND found_by = 'load'),
           started, clock_timestamp()
    ON CONFLICT ON CONSTRAINT etl_run_pkey DO UPDATE
    SET status = EXCLUDED.status, rows_read = EXCLUDED.rows_read, rows_written = EXCLUDED.rows_written,
        rows_rejected = EXCLUDED.rows_rejected, started_at = EXCLUDED.started_at, ended_at = EXCLUDED.ended_at;
END $$;
