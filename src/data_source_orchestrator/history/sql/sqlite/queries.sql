-- name: documents
SELECT key, json FROM documents WHERE kind = ? ORDER BY key;

-- name: put_document
INSERT INTO documents (kind, key, json) VALUES (?, ?, ?)
ON CONFLICT (kind, key) DO UPDATE SET json = excluded.json;

-- name: add_run
INSERT INTO runs (id, verb, started_at, duration, sufficient, interrupted) VALUES (?, ?, ?, ?, ?, ?);

-- name: add_outcome
INSERT INTO outcomes (run_id, source, status, attempts, duration, kind, message, warnings, offline)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: contributions
SELECT source, run_id, checked_at, body FROM contributions ORDER BY source;

-- name: last_checked
SELECT source, checked_at FROM contributions ORDER BY source;

-- name: put_contribution
INSERT INTO contributions (source, run_id, checked_at, body) VALUES (?, ?, ?, ?)
ON CONFLICT (source) DO UPDATE
SET run_id = excluded.run_id, checked_at = excluded.checked_at, body = excluded.body;

-- name: entities
SELECT id, json FROM entities ORDER BY id;

-- name: put_entity
INSERT INTO entities (id, json) VALUES (?, ?)
ON CONFLICT (id) DO UPDATE SET json = excluded.json;

-- name: remove_entity
DELETE FROM entities WHERE id = ?;

-- name: confirm_snapshot
INSERT INTO snapshots (id, entities, first_seen, last_confirmed) VALUES (?1, ?2, ?3, ?3)
ON CONFLICT (id) DO UPDATE SET last_confirmed = max(last_confirmed, excluded.last_confirmed);

-- name: held_entities
SELECT id, json FROM held_entities ORDER BY id;

-- name: put_held_entity
INSERT INTO held_entities (id, json) VALUES (?, ?);

-- name: clear_held_entities
DELETE FROM held_entities;

-- name: standing
SELECT source, run_id, checked_at, body FROM standing ORDER BY source;

-- name: put_standing
INSERT INTO standing (source, run_id, checked_at, body) VALUES (?, ?, ?, ?)
ON CONFLICT (source) DO NOTHING;

-- name: clear_standing
DELETE FROM standing;

-- name: cached
SELECT stored_at, payload FROM cached WHERE source = ? AND key = ?;

-- name: put_cached
INSERT OR REPLACE INTO cached (source, key, stored_at, payload) VALUES (?, ?, ?, ?);

-- name: remove_cached
DELETE FROM cached WHERE source = ? AND key = ?;

-- name: clear_cached
DELETE FROM cached WHERE source = ?;

-- name: trim_cached_entries
DELETE FROM cached
WHERE source = ?1
  AND id NOT IN (SELECT id FROM cached WHERE source = ?1 ORDER BY id DESC LIMIT ?2);

-- name: trim_cached_bytes
DELETE FROM cached
WHERE id IN (
    SELECT id FROM (SELECT id, sum(length(payload)) OVER (ORDER BY id DESC) AS so_far FROM cached) WHERE so_far > ?
);

-- name: responses
SELECT address, variant, digest, json, body
FROM responses JOIN response_bodies USING (address, variant)
WHERE address = ?;

-- name: put_response
INSERT INTO responses (address, variant, used, size, digest, json)
VALUES (?, ?, (SELECT coalesce(max(used), 0) + 1 FROM responses), ?, ?, ?);

-- name: put_response_body
INSERT INTO response_bodies (address, variant, body) VALUES (?, ?, ?);

-- name: refresh_response
UPDATE responses
SET used = (SELECT coalesce(max(used), 0) + 1 FROM responses), size = ?3, json = ?5
WHERE address = ?1 AND variant = ?2 AND digest = ?4;

-- name: remove_response
DELETE FROM responses WHERE address = ? AND variant = ?;

-- name: trim_responses
DELETE FROM responses
WHERE used IN (SELECT used FROM (SELECT used, sum(size) OVER (ORDER BY used DESC) AS so_far FROM responses)
               WHERE so_far > ?);
