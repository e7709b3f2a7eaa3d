-- What the control plane keeps: who leads, and what starts runs by itself.

CREATE TABLE leaders (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    fence INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each trigger of a flow's newest revision: when it is looked at next (nothing: not by time), the date it
-- fired for last, the run that must end before it fires again, who switched it off, and what else it knows.
CREATE TABLE triggers (
    key TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    flow TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('schedule', 'dates', 'webhook', 'runs', 'polling', 'listening')),
    digest TEXT NOT NULL,
    next_at INTEGER,
    last_at INTEGER,
    holds TEXT NOT NULL,
    off_by TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX triggers_by_time ON triggers (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX triggers_by_flow ON triggers (namespace, flow);
