-- "dsoS": whose database this is, so that nobody else's is ever taken for a store.
PRAGMA application_id = 1685286739;

-- Small documents: health, breakers, metrics, switches.
CREATE TABLE documents (
    kind TEXT NOT NULL,
    key  TEXT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;

CREATE TABLE runs (
    id          TEXT PRIMARY KEY NOT NULL,
    verb        TEXT NOT NULL,
    started_at  TEXT NOT NULL, -- all moments: ISO 8601, UTC, microseconds
    duration    REAL NOT NULL, -- all durations: seconds
    sufficient  INTEGER NOT NULL,
    interrupted INTEGER NOT NULL
);

CREATE INDEX runs_by_start ON runs (started_at);

-- How each source's part in a run ended, without its data.
CREATE TABLE outcomes (
    run_id   TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    source   TEXT NOT NULL,
    status   TEXT NOT NULL CHECK (status IN ('success', 'failure', 'skipped')),
    attempts INTEGER NOT NULL,
    duration REAL NOT NULL,
    kind     TEXT, -- a failure's kind, a skip's reason
    message  TEXT,
    warnings TEXT NOT NULL, -- a JSON list
    PRIMARY KEY (run_id, source)
) WITHOUT ROWID;

-- Each source's last good contribution. No reference to runs: a contribution may outlive its run's row.
CREATE TABLE contributions (
    source     TEXT PRIMARY KEY NOT NULL,
    run_id     TEXT NOT NULL,
    checked_at TEXT NOT NULL,
    body       BLOB NOT NULL -- its records: JSON, compressed by zlib
);

-- The current snapshot, entity by entity, each value with its claims.
CREATE TABLE entities (
    id   TEXT PRIMARY KEY NOT NULL,
    json TEXT NOT NULL
);

CREATE TABLE snapshots (
    id             TEXT PRIMARY KEY NOT NULL,
    entities       INTEGER NOT NULL,
    first_seen     TEXT NOT NULL,
    last_confirmed TEXT NOT NULL
);
