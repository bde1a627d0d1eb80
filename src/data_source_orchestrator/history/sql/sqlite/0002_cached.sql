-- What the result cache keeps of each source: all of it may be deleted at any time, and is then fetched again.
CREATE TABLE cached (
    id        INTEGER PRIMARY KEY NOT NULL, -- grows with every entry: what was kept last is last
    source    TEXT NOT NULL,
    key       TEXT NOT NULL,
    stored_at TEXT NOT NULL,
    payload   BLOB NOT NULL, -- bytes of the source's payload_type, compressed by zlib
    UNIQUE (source, key)
);
