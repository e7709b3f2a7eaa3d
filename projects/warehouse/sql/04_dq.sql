-- What is known about the quality of the data and about the runs that brought it?

-- One row per run, step and table; a restarted step writes its row again.
CREATE TABLE IF NOT EXISTS dq.etl_run (
    run_id        text NOT NULL,
    batch_date    date NOT NULL,
    step          text NOT NULL,
    source_table  text NOT NULL DEFAULT '',
    status        text NOT NULL CHECK (status IN ('success', 'failed')),
    rows_read     bigint,
    rows_written  bigint,
    rows_rejected bigint,
    message       text,
    started_at    timestamptz NOT NULL DEFAULT now(),
    ended_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, batch_date, step, source_table)
);

CREATE TABLE IF NOT EXISTS dq.audit_checks (
    batch_date date    NOT NULL,
    check_name text    NOT NULL,
    expected   text    NOT NULL,
    actual     text    NOT NULL,
    passed     boolean NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (batch_date, check_name)
);

-- Rows that are not in the star schema, each with the first reason that holds in this order: BAD_FORMAT (the line
-- cannot be read), NULL (a needed value is missing), NEGATIVE_DURATION, UNKNOWN_FK (its tenant, user or feature is
-- in no loaded day), DUPLICATE (an earlier good row has its key). A row leaves this table when a later load brings
-- what it lacked.
CREATE TABLE IF NOT EXISTS dq.rejected_rows (
    batch_date   date   NOT NULL,
    source_table text   NOT NULL CHECK (source_table IN ('tenant', 'user', 'feature_usage')),
    row_no       bigint NOT NULL,
    reason       text   NOT NULL CHECK (reason IN ('NULL', 'DUPLICATE', 'UNKNOWN_FK', 'NEGATIVE_DURATION', 'BAD_FORMAT')),
    detail       text   NOT NULL,
    record       jsonb  NOT NULL,
    found_by     text   NOT NULL CHECK (found_by IN ('extract', 'load')),
    rejected_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (batch_date, source_table, row_no)
);
CREATE INDEX IF NOT EXISTS rejected_rows_by_reason ON dq.rejected_rows (source_table, reason);

-- Notes that a run failed. Written by the flow's errors branch, in a transaction that nothing else shares.
CREATE OR REPLACE PROCEDURE dq.sp_record_failure(run_id text, batch_date date, message text)
LANGUAGE sql AS $$
    INSERT INTO dq.etl_run (run_id, batch_date, step, status, message)
    VALUES (sp_record_failure.run_id, sp_record_failure.batch_date, 'run', 'failed', sp_record_failure.message)
    ON CONFLICT ON CONSTRAINT etl_run_pkey DO UPDATE SET message = EXCLUDED.message, ended_at = clock_timestamp()
$$;
