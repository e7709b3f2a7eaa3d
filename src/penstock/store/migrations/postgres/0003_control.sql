-- What the control plane keeps: who leads, and what starts runs by itself.

CREATE TABLE leaders (
    name TEXT COLLATE "C" PRIMARY KEY,
    holder TEXT NOT NULL,
    fence BIGINT NOT NULL,
    until BIGINT NOT NULL
);

-- One row for each trigger of a flow's newest revision: when it is looked at next (nothing: not by time), the date it
-- fired for last, the run that must end before it fires again, who switched it off, and what else it knows.
CREATE TABLE triggers (
    key TEXT COLLATE "C" PRIMARY KEY,
    namespace TEXT COLLATE "C" NOT NULL,
    flow TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('schedule', 'dates', 'webhook', 'runs', 'polling', 'listening')),
    digest TEXT NOT NULL,
    next_at BIGINT,
    last_at BIGINT,
    holds TEXT COLLATE "C" NOT NULL,
    off_by TEXT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX triggers_by_time ON triggers (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX triggers_by_flow ON triggers (namespace, flow);
