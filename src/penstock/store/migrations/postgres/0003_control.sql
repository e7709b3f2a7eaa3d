-- What the control plane keeps: who leads, and what starts runs by itself.

CREATE TABLE leaders (
    name TEXT COLLATE "C" PRIMARY KEY,
    holder TEXT NOT NULL,
    fence BIGINT NOT NULL,
    until BIGINT NOT NULL
);

-- One row for each trigger of a flow's newest revision: when it fires next (nothing: not by time), and what it knows.
CREATE TABLE triggers (
    namespace TEXT COLLATE "C" NOT NULL,
    flow TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('schedule', 'dates', 'webhook', 'runs', 'polling', 'listening')),
    digest TEXT NOT NULL,
    next_at BIGINT,
    last_at BIGINT,
    paused_by TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (namespace, flow, id)
);
CREATE INDEX triggers_by_time ON triggers (next_at) WHERE next_at IS NOT NULL;
