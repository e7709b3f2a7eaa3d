-- Further kinds of timers and of work: their rules are part of the tables, so those are written anew.

CREATE TABLE due_anew (
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    timer TEXT NOT NULL CHECK (timer IN ('retry', 'snooze', 'step_timeout', 'run_timeout', 'next', 'pause', 'sla',
        'begin')),
    at INTEGER NOT NULL,
    PRIMARY KEY (run_id, step, attempt, timer)
) STRICT, WITHOUT ROWID;
INSERT INTO due_anew SELECT run_id, step, attempt, timer, at FROM due;
DROP TABLE due;
ALTER TABLE due_anew RENAME TO due;
CREATE INDEX due_in_order ON due (at);

CREATE TABLE ready_anew (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    work TEXT NOT NULL CHECK (work IN ('task', 'evaluate', 'open', 'close')),
    queue TEXT NOT NULL,
    priority INTEGER NOT NULL,
    owner TEXT NOT NULL,
    at INTEGER NOT NULL,
    lane TEXT NOT NULL,
    place INTEGER NOT NULL,
    UNIQUE (run_id, step, attempt)
) STRICT;
INSERT INTO ready_anew SELECT id, run_id, step, attempt, work, queue, priority, owner, at, '', at FROM ready_attempts;
-- A fence is never used again, so the new table goes on counting where the old one stood.
DELETE FROM sqlite_sequence WHERE name = 'ready_anew';
INSERT INTO sqlite_sequence (name, seq) SELECT 'ready_anew', seq FROM sqlite_sequence WHERE name = 'ready_attempts';
DROP TABLE ready_attempts;
ALTER TABLE ready_anew RENAME TO ready_attempts;
CREATE INDEX ready_in_order ON ready_attempts (queue, owner, priority DESC, place, id);
CREATE INDEX ready_by_lane ON ready_attempts (queue, owner, priority, lane, place);

CREATE TABLE claimed_anew (
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    work TEXT NOT NULL CHECK (work IN ('task', 'evaluate', 'open', 'close')),
    worker TEXT NOT NULL,
    fence INTEGER NOT NULL,
    claimed_at INTEGER NOT NULL,
    killing TEXT CHECK (killing IN ('graceful', 'force')),
    priority INTEGER NOT NULL,
    queue TEXT NOT NULL,
    owner TEXT NOT NULL,
    lane TEXT NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (run_id, step, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO claimed_anew
SELECT run_id, step, attempt, work, worker, fence, claimed_at, killing, priority, queue, owner, '', 0
FROM claimed_attempts;
DROP TABLE claimed_attempts;
ALTER TABLE claimed_anew RENAME TO claimed_attempts;

ALTER TABLE blocked_runs RENAME TO blocked_before;
DROP INDEX blocked_in_order;
ALTER TABLE admitted RENAME TO admitted_before;
DROP INDEX admitted_by_run;
DROP TABLE limits;

-- Limits of attempts besides those of runs: who waits has a row for each limit that it wants (a run: step '', attempt
-- 0); `count` is nothing for a pool, `span` the microseconds in which a rate allows `count` starts.
CREATE TABLE blocked_attempts (
    limit_name TEXT NOT NULL,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    count INTEGER,
    span INTEGER,
    weight INTEGER NOT NULL,
    when_full TEXT NOT NULL CHECK (when_full IN ('queue', 'cancel', 'fail')),
    priority INTEGER NOT NULL,
    lane TEXT NOT NULL,
    place INTEGER NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (run_id, step, attempt, limit_name)
) STRICT, WITHOUT ROWID;
CREATE INDEX blocked_in_order ON blocked_attempts (limit_name, priority DESC, place, since, run_id, step);
CREATE INDEX blocked_by_lane ON blocked_attempts (limit_name, priority, lane, place);
CREATE INDEX blocked_impatient ON blocked_attempts (limit_name) WHERE when_full <> 'queue';

CREATE TABLE limits (
    name TEXT PRIMARY KEY,
    free_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX limits_to_free ON limits (free_at) WHERE free_at IS NOT NULL;

CREATE TABLE admitted (
    limit_name TEXT NOT NULL,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    lane TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (limit_name, run_id, step, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX admitted_by_run ON admitted (run_id, step, attempt);

-- What a rate counts: starts, on the clock of leases, as long as its window is open.
CREATE TABLE limit_starts (
    limit_name TEXT NOT NULL,
    at INTEGER NOT NULL,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (limit_name, at, run_id, step, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE pools (
    name TEXT PRIMARY KEY,
    slots INTEGER NOT NULL CHECK (slots >= 0),
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO blocked_attempts
SELECT limit_name, run_id, '', 0, count, NULL, 1, when_full, priority, limit_name, since, since FROM blocked_before;
DROP TABLE blocked_before;
INSERT INTO admitted SELECT limit_name, run_id, '', 0, 1, limit_name, 0 FROM admitted_before;
DROP TABLE admitted_before;

CREATE TABLE workers_anew (
    id TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    boot TEXT NOT NULL,
    pid INTEGER NOT NULL,
    lock_path TEXT NOT NULL,
    beat_at INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('running', 'draining')),
    capacity INTEGER NOT NULL,
    version TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    queues TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO workers_anew
SELECT id, host, boot, pid, lock_path, beat_at, status, capacity, version, started_at, '["default"]' FROM workers;
DROP TABLE workers;
ALTER TABLE workers_anew RENAME TO workers;

CREATE TABLE cached_results (
    key TEXT PRIMARY KEY,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    body TEXT NOT NULL,
    uri TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX cached_by_run ON cached_results (run_id);
CREATE INDEX cached_by_expiry ON cached_results (expires_at) WHERE expires_at IS NOT NULL;
