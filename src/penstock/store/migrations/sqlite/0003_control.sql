-- What the control plane keeps: who leads, and what starts runs by itself.

CREATE TABLE leaders (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    fence INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each trigger of a flow's newest revision: when it fires next (nothing: not by time), and what it knows.
CREATE TABLE triggers (
    namespace TEXT NOT NULL,
    flow TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('schedule', 'dates', 'webhook', 'runs', 'polling', 'listening')),
    digest TEXT NOT NULL,
    next_at INTEGER,
    last_at INTEGER,
    paused_by TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (namespace, flow, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX triggers_by_time ON triggers (next_at) WHERE next_at IS NOT NULL;
