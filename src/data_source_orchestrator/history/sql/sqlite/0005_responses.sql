-- What the HTTP cache keeps of answers: all of it may be deleted at any time, and is then asked for again.
CREATE TABLE responses (
    address TEXT NOT NULL,
    variant TEXT NOT NULL, -- a digest of what was sent that chose this answer
    used    INTEGER NOT NULL, -- grows with every use: what was used last is last
    size    INTEGER NOT NULL, -- bytes of body and headers, as they are served
    digest  TEXT NOT NULL, -- the body's SHA-256
    json    TEXT NOT NULL, -- all but the body
    PRIMARY KEY (address, variant)
) WITHOUT ROWID;
CREATE INDEX responses_by_use ON responses (used, size);
-- Apart from the rest, which changes whenever a body is confirmed.
CREATE TABLE response_bodies (
    address TEXT NOT NULL,
    variant TEXT NOT NULL,
    body    BLOB NOT NULL, -- as it is: to unpack it would cost more than all else of a 304
    PRIMARY KEY (address, variant),
    FOREIGN KEY (address, variant) REFERENCES responses (address, variant) ON DELETE CASCADE
);
