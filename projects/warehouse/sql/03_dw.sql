-- What does the star schema look like?

-- The days whose staging rows are in the star schema. What dw and dq.rejected_rows hold is a function of the
-- staging rows of these days alone, not of the order or the number of times in which they were loaded.
CREATE TABLE IF NOT EXISTS dw.loaded_batch (
    batch_date date PRIMARY KEY,
    loaded_at  timestamptz NOT NULL
);

-- SCD 1: the values of the newest day that has the tenant.
CREATE TABLE IF NOT EXISTS dw.dim_tenant (
    tenant_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  text NOT NULL UNIQUE,
    name       text NOT NULL,
    plan       text,
    region     text,
    created_at date,
    batch_date date NOT NULL
);

-- SCD 2: a version begins on the day on which the hash of tenant, email and role differs from the day before that
-- has the user. valid_to is exclusive. An event older than the first version belongs to the first.
CREATE TABLE IF NOT EXISTS dw.dim_user (
    user_key   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    text    NOT NULL,
    version_no integer NOT NULL,
    tenant_id  text    NOT NULL,
    email      text    NOT NULL,
    role       text    NOT NULL,
    created_at date,
    row_hash   text    NOT NULL,
    valid_from date    NOT NULL,
    valid_to   date    NOT NULL DEFAULT 'infinity',
    is_current boolean NOT NULL,
    UNIQUE (user_id, valid_from)
);
CREATE UNIQUE INDEX IF NOT EXISTS dim_user_current ON dw.dim_user (user_id) WHERE is_current;

CREATE TABLE IF NOT EXISTS dw.dim_feature (
    feature_key  smallint PRIMARY KEY,
    feature_code text NOT NULL UNIQUE,
    name         text NOT NULL,
    category     text NOT NULL CHECK (category IN ('Editor', 'AI', 'Catalog', 'Governance'))
);

CREATE TABLE IF NOT EXISTS dw.dim_date (
    date_key   integer  PRIMARY KEY,
    date       date     NOT NULL UNIQUE,
    year       smallint NOT NULL,
    quarter    smallint NOT NULL,
    month      smallint NOT NULL,
    day        smallint NOT NULL,
    iso_week   smallint NOT NULL,
    weekday    smallint NOT NULL, -- 1 is Monday
    is_weekend boolean  NOT NULL
);

-- One row per event. No foreign keys: four checks per row would cost more than the load itself, and the audit
-- looks for orphans once per load. The key is the natural one, so an event cannot be counted twice.
CREATE TABLE IF NOT EXISTS dw.fact_feature_usage (
    event_id    bigint    PRIMARY KEY,
    date_key    integer   NOT NULL,
    tenant_key  bigint    NOT NULL,
    user_key    bigint    NOT NULL,
    feature_key smallint  NOT NULL,
    event_ts    timestamp NOT NULL,
    duration_ms bigint    NOT NULL CHECK (duration_ms >= 0),
    batch_date  date      NOT NULL,
    row_no      bigint    NOT NULL
);
CREATE INDEX IF NOT EXISTS fact_feature_usage_by_date  ON dw.fact_feature_usage USING brin (date_key) WITH (pages_per_range = 16);
CREATE INDEX IF NOT EXISTS fact_feature_usage_by_batch ON dw.fact_feature_usage USING brin (batch_date) WITH (pages_per_range = 16);

-- Adds the days of a span to the calendar; days that are there stay as they are.
CREATE OR REPLACE PROCEDURE dw.sp_seed_dim_date(first_day date, last_day date)
LANGUAGE sql AS $$
    INSERT INTO dw.dim_date (date_key, date, year, quarter, month, day, iso_week, weekday, is_weekend)
    SELECT to_char(day, 'YYYYMMDD')::integer, day::date, extract(year FROM day), extract(quarter FROM day),
           extract(month FROM day), extract(day FROM day), extract(week FROM day), extract(isodow FROM day),
           extract(isodow FROM day) > 5
    FROM generate_series(first_day::timestamp, last_day::timestamp, interval '1 day') AS day
    ON CONFLICT (date_key) DO NOTHING
$$;
CALL dw.sp_seed_dim_date(date '2015-01-01', date '2016-12-31');
