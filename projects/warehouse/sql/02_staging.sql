-- What do the exports hold, day by day? One partition per batch_date, so that a day is replaced without touching
-- another. Columns may be null here: what is wrong with a row is the load's to say. row_no counts the lines of a
-- day's files in their order, and with batch_date names a row for good.
CREATE TABLE IF NOT EXISTS staging.tenant (
    batch_date date   NOT NULL,
    row_no     bigint NOT NULL,
    tenant_id  text,
    name       text,
    plan       text,
    region     text,
    created_at date
) PARTITION BY LIST (batch_date);

CREATE TABLE IF NOT EXISTS staging.user (
    batch_date date   NOT NULL,
    row_no     bigint NOT NULL,
    user_id    text,
    tenant_id  text,
    email      text,
    role       text,
    created_at date
) PARTITION BY LIST (batch_date);
CREATE INDEX IF NOT EXISTS user_by_id ON staging.user (user_id);

CREATE TABLE IF NOT EXISTS staging.feature_usage (
    batch_date   date   NOT NULL,
    row_no       bigint NOT NULL,
    event_id     bigint,
    tenant_id    text,
    user_id      text,
    feature_code text,
    event_ts     timestamp,
    duration_ms  bigint
) PARTITION BY LIST (batch_date);

-- Makes the tables into which a day is copied; until they are swapped in, nobody waits for the copying.
CREATE OR REPLACE PROCEDURE staging.sp_open_day(batch_date date)
LANGUAGE plpgsql AS $$
DECLARE
    d    date := sp_open_day.batch_date;
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tenant', 'user', 'feature_usage'] LOOP
        IF to_regclass(format('staging.%I', name || to_char(d, '_YYYYMMDD"_new"'))) IS NULL THEN
            -- The CHECK saves a scan when the table becomes a partition.
            EXECUTE format('CREATE TABLE staging.%I (LIKE staging.%I, CHECK (batch_date = %L))',
                           name || to_char(d, '_YYYYMMDD"_new"'), name, d);
        END IF;
    END LOOP;
END $$;

-- Puts the copied tables in the place of the day's partitions, in the transaction that filled them. The day is not
-- part of the star schema from here until it is loaded: no other day's load may build on rows it has not seen.
CREATE OR REPLACE PROCEDURE staging.sp_swap_day(batch_date date)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    d    date := sp_swap_day.batch_date;
    name text;
BEGIN
    -- The lock of the loads, before any other: a load reads all days' partitions and moves all days' rejects.
    PERFORM pg_advisory_xact_lock(hashtext('dw.sp_load_staging_to_dw'));
    FOREACH name IN ARRAY ARRAY['tenant', 'user', 'feature_usage'] LOOP
        IF to_regclass(format('staging.%I', name || to_char(d, '_YYYYMMDD'))) IS NOT NULL THEN
            EXECUTE format('DROP TABLE staging.%I', name || to_char(d, '_YYYYMMDD'));
        END IF;
        EXECUTE format('ALTER TABLE staging.%I RENAME TO %I',
                       name || to_char(d, '_YYYYMMDD"_new"'), name || to_char(d, '_YYYYMMDD'));
        EXECUTE format('ALTER TABLE staging.%I ATTACH PARTITION staging.%I FOR VALUES IN (%L)',
                       name, name || to_char(d, '_YYYYMMDD'), d);
    END LOOP;
    DELETE FROM dq.rejected_rows WHERE batch_date = d;
    DELETE FROM dw.loaded_batch WHERE batch_date = d;
END $$;
