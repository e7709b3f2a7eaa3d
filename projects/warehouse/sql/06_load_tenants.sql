-- How do a day's tenants reach dw.dim_tenant? Each tenant takes the values of the newest loaded day that has it.

-- Makes the tables that the parts of one load hand to each other; they end with the transaction.
CREATE OR REPLACE PROCEDURE dw.sp_open_load()
LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS pg_temp.new_tenant, pg_temp.gone_tenant, pg_temp.affected_user, pg_temp.fresh_version,
                         pg_temp.moved_user, pg_temp.pool;
    CREATE TEMP TABLE new_tenant    (tenant_id text PRIMARY KEY) ON COMMIT DROP;
    CREATE TEMP TABLE gone_tenant   (tenant_id text PRIMARY KEY) ON COMMIT DROP;
    CREATE TEMP TABLE affected_user (user_id text PRIMARY KEY) ON COMMIT DROP;
    CREATE TEMP TABLE moved_user    (user_id text PRIMARY KEY, since date NOT NULL) ON COMMIT DROP;
    -- Usage rows of other days that this load looks at again.
    CREATE TEMP TABLE pool (LIKE staging.feature_usage, PRIMARY KEY (batch_date, row_no)) ON COMMIT DROP;
END $$;

-- Takes facts out of the star schema and puts them, as rows of usage, among those to be looked at again.
CREATE OR REPLACE FUNCTION dw.reconsider_facts(events bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    WITH taken AS (
        DELETE FROM dw.fact_feature_usage WHERE event_id = ANY (events) RETURNING *
    )
    INSERT INTO pool (batch_date, row_no, event_id, tenant_id, user_id, feature_code, event_ts, duration_ms)
    SELECT taken.batch_date, taken.row_no, taken.event_id, t.tenant_id, u.user_id, f.feature_code, taken.event_ts,
           taken.duration_ms
    FROM taken
    JOIN dw.dim_tenant  AS t USING (tenant_key)
    JOIN dw.dim_user    AS u USING (user_key)
    JOIN dw.dim_feature AS f USING (feature_key);
END $$;

CREATE OR REPLACE PROCEDURE dw.sp_load_tenants(d date)
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dq.rejected_rows (batch_date, source_table, row_no, reason, detail, record, found_by)
    SELECT d, 'tenant', row_no, reason,
           CASE reason WHEN 'NULL' THEN 'tenant_id or name is missing' ELSE 'tenant_id is in an earlier row' END,
           to_jsonb(judged) - ARRAY['batch_date', 'row_no', 'reason'], 'load'
    FROM (
        SELECT s.*, CASE WHEN s.tenant_id IS NULL OR s.name IS NULL THEN 'NULL'
                         WHEN row_number() OVER (PARTITION BY s.tenant_id, s.name IS NULL ORDER BY s.row_no) > 1
                         THEN 'DUPLICATE' END AS reason
        FROM staging.tenant AS s
        WHERE s.batch_date = d
    ) AS judged
    WHERE reason IS NOT NULL;

    DROP TABLE IF EXISTS pg_temp.newest_tenant;
    CREATE TEMP TABLE newest_tenant ON COMMIT DROP AS
    SELECT DISTINCT ON (s.tenant_id) s.*
    FROM staging.tenant AS s
    JOIN dw.loaded_batch USING (batch_date)
    WHERE s.name IS NOT NULL
      AND s.tenant_id IN (SELECT tenant_id FROM staging.tenant WHERE batch_date = d
                          UNION ALL SELECT tenant_id FROM dw.dim_tenant WHERE batch_date = d)
    ORDER BY s.tenant_id, s.batch_date DESC, s.row_no;

    INSERT INTO new_tenant
    SELECT tenant_id FROM newest_tenant EXCEPT SELECT tenant_id FROM dw.dim_tenant;
    INSERT INTO gone_tenant
    SELECT tenant_id FROM dw.dim_tenant WHERE batch_date = d EXCEPT SELECT tenant_id FROM newest_tenant;

    INSERT INTO dw.dim_tenant (tenant_id, name, plan, region, created_at, batch_date)
    SELECT tenant_id, name, plan, region, created_at, batch_date FROM newest_tenant ORDER BY tenant_id
    ON CONFLICT (tenant_id) DO UPDATE
    SET name = EXCLUDED.name, plan = EXCLUDED.plan, region = EXCLUDED.region, created_at = EXCLUDED.created_at,
        batch_date = EXCLUDED.batch_date
    WHERE (dim_tenant.name, dim_tenant.plan, dim_tenant.region, dim_tenant.created_at, dim_tenant.batch_date)
          IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.plan, EXCLUDED.region, EXCLUDED.created_at, EXCLUDED.batch_date);

    -- A day loaded again may no longer have a tenant that no other day has.
    IF EXISTS (SELECT FROM gone_tenant) THEN
        PERFORM dw.reconsider_facts(ARRAY(
            SELECT event_id FROM dw.fact_feature_usage
            JOIN dw.dim_tenant USING (tenant_key) JOIN gone_tenant USING (tenant_id)));
        DELETE FROM dw.dim_tenant WHERE tenant_id IN (SELECT tenant_id FROM gone_tenant);
    END IF;
END $$;
