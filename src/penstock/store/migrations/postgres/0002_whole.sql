-- Further kinds of timers and of work.

ALTER TABLE due DROP CONSTRAINT due_timer_check;
ALTER TABLE due ADD CONSTRAINT due_timer_check CHECK (timer IN ('retry', 'snooze', 'step_timeout', 'run_timeout',
    'next', 'pause', 'sla', 'begin'));
ALTER TABLE ready_attempts DROP CONSTRAINT ready_attempts_work_check;
ALTER TABLE ready_attempts ADD CONSTRAINT ready_attempts_work_check CHECK (work IN ('task', 'evaluate', 'open',
    'close'));
ALTER TABLE claimed_attempts DROP CONSTRAINT claimed_attempts_work_check;
ALTER TABLE claimed_attempts ADD CONSTRAINT claimed_attempts_work_check CHECK (work IN ('task', 'evaluate', 'open',
    'close'));

ALTER TABLE ready_attempts ADD COLUMN lane TEXT COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN place BIGINT NOT NULL DEFAULT 0;
UPDATE ready_attempts SET place = at;
ALTER TABLE ready_attempts ALTER COLUMN lane DROP DEFAULT, ALTER COLUMN place DROP DEFAULT;
DROP INDEX ready_in_order;
CREATE INDEX ready_in_order ON ready_attempts (queue, owner, priority DESC, place, id);
CREATE INDEX ready_by_lane ON ready_attempts (queue, owner, priority, lane, place);
ALTER TABLE claimed_attempts ADD COLUMN lane TEXT COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN place BIGINT NOT NULL DEFAULT 0;
ALTER TABLE claimed_attempts ALTER COLUMN lane DROP DEFAULT, ALTER COLUMN place DROP DEFAULT;
ALTER TABLE workers ADD COLUMN queues TEXT NOT NULL DEFAULT '["default"]';
ALTER TABLE workers ALTER COLUMN queues DROP DEFAULT;

CREATE TEMPORARY TABLE blocked_before ON COMMIT DROP AS SELECT * FROM blocked_runs;
CREATE TEMPORARY TABLE admitted_before ON COMMIT DROP AS SELECT * FROM admitted;
DROP TABLE blocked_runs, admitted, limits;

-- Limits of attempts besides those of runs: who waits has a row for each limit that it wants (a run: step '', attempt
-- 0); `count` is nothing for a pool, `span` the microseconds in which a rate allows `count` starts.
CREATE TABLE blocked_attempts (
    limit_name TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    count BIGINT,
    span BIGINT,
    weight BIGINT NOT NULL,
    when_full TEXT NOT NULL CHECK (when_full IN ('queue', 'cancel', 'fail')),
    priority BIGINT NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    place BIGINT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (run_id, step, attempt, limit_name)
);
CREATE INDEX blocked_in_order ON blocked_attempts (limit_name, priority DESC, place, since, run_id, step);
CREATE INDEX blocked_by_lane ON blocked_attempts (limit_name, priority, lane, place);
CREATE INDEX blocked_impatient ON blocked_attempts (limit_name) WHERE when_full <> 'queue';

CREATE TABLE limits (
    name TEXT COLLATE "C" PRIMARY KEY,
    free_at BIGINT
);
CREATE INDEX limits_to_free ON limits (free_at) WHERE free_at IS NOT NULL;

CREATE TABLE admitted (
    limit_name TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    weight BIGINT NOT NULL,
    lane TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (limit_name, run_id, step, attempt)
);
CREATE INDEX admitted_by_run ON admitted (run_id, step, attempt);

-- What a rate counts: starts, on the clock of leases, as long as its window is open.
CREATE TABLE limit_starts (
    limit_name TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    attempt BIGINT NOT NULL,
    weight BIGINT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (limit_name, at, run_id, step, attempt)
);

CREATE TABLE pools (
    name TEXT COLLATE "C" PRIMARY KEY,
    slots BIGINT NOT NULL CHECK (slots >= 0),
    changed_at BIGINT NOT NULL
);

INSERT INTO blocked_attempts
SELECT limit_name, run_id, '', 0, count, NULL, 1, when_full, priority, limit_name, since, since FROM blocked_before;
INSERT INTO admitted SELECT limit_name, run_id, '', 0, 1, limit_name, 0 FROM admitted_before;

ALTER TABLE blocked_attempts SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_cost_delay = 0);
ALTER TABLE admitted SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_cost_delay = 0);
ALTER TABLE limit_starts SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
    autovacuum_vacuum_cost_delay = 0);

CREATE TABLE cached_results (
    key TEXT COLLATE "C" PRIMARY KEY,
    run_id TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C" NOT NULL,
    body TEXT NOT NULL,
    uri TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX cached_by_run ON cached_results (run_id);
CREATE INDEX cached_by_expiry ON cached_results (expires_at) WHERE expires_at IS NOT NULL;
