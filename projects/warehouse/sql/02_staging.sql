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

-- Makes the day's partitions. Call it in a transaction of its own: it locks the whole tables for a moment.
CREATE OR REPLACE PROCEDURE staging.sp_open_day(batch_date date)
LANGUAGE plpgsql AS $$
DECLARE
    d    date := sp_open_day.batch_date;
    name text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('staging.sp_open_day'));
    FOREACH name IN ARRAY ARRAY['tenant', 'user', 'feature_usage'] LOOP
        IF to_regclass(format('staging.%I', name || to_char(d, '_YYYYMMDD'))) IS NULL THEN
            EXECUTE format('CREATE TABLE staging.%I PARTITION OF staging.%I FOR VALUES IN (%L)',
                           name || to_char(d, '_YYYYMMDD'), name, d);
        END IF;
    END LOOP;
END $$;
