-- Whether the source was not reached because our own network was down: that is not held against it.
ALTER TABLE outcomes ADD COLUMN offline INTEGER NOT NULL DEFAULT 0;
