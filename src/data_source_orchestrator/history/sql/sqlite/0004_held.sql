-- What the gate holds back: the entities of a snapshot that is stored and not published, as in `entities`.
CREATE TABLE held_entities (
    id   TEXT PRIMARY KEY NOT NULL,
    json TEXT NOT NULL
);

-- While something is held: what a source had said before that, where it says something else in it.
CREATE TABLE standing (
    source     TEXT PRIMARY KEY NOT NULL,
    run_id     TEXT NOT NULL,
    checked_at TEXT NOT NULL,
    body       BLOB NOT NULL -- as in `contributions`
);
