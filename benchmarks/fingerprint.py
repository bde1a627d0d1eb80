"""What a document's fingerprint costs, against decoding the same document into typed rows.

`uv run python benchmarks/fingerprint.py`; in CPU time, for nothing here waits. The document is CODArmory's file of
attachments, 943 kB, where the captured upstreams lie beside the checkout, else a made-up one of the same shape. Beside
it stand the strict parser that such a body goes through, the judgement by a past of 12, and what is hardest to look at:
as many values in a map of ids, and in objects within objects.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from measure import Contestant, race
from rung import Rung, tell

from data_source_orchestrator.core.strict_json import parse_json
from data_source_orchestrator.drift.fingerprint import fingerprint
from data_source_orchestrator.drift.judge import judge
from data_source_orchestrator.drift.watch import KEPT

CAPTURED = Path(__file__).parents[2] / "shared" / "upstream" / "codarmory" / "attachments.json"
ROWS = 1_502
ROUNDS = 25
TYPED, FINGERPRINT, STRICT = "msgspec, typed rows", "fingerprint", "parse_json, strict"
JUDGED, IN_A_MAP, NESTED = f"judge, a past of {KEPT}", "fingerprint of a map of ids", "fingerprint of nested objects"


class Attachment(msgspec.Struct):
    """A row of the file."""

    id: str
    game_id: str
    category_id: str
    slug: str
    name: str
    description: str | None
    pros: list[str]
    cons: list[str]
    unlock_type: str
    unlock_id: str | None
    unlock_level: int | None
    unlock_summary: str | None
    unlock_description: str | None


def made_up() -> bytes:
    """Return a file of that shape and about that size."""
    rows = [
        {
            "id": f"{number:016x}",
            "game_id": "mw3" if number % 4 else "mw2",
            "category_id": f"category-{number % 20}",
            "slug": f"attachment-{number}",
            "name": f"Attachment {number}",
            "description": None
            if number % 4 == 0
            else "It steadies the hand and tires the arm, as such things do. " * 2,
            "pros": [f"stat-{each}" for each in range(number % 5)],
            "cons": [f"stat-{each}" for each in range(number % 4)],
            "unlock_type": "weapon",
            "unlock_id": f"weapon-{number % 90}",
            "unlock_level": number % 30,
            "unlock_summary": None,
            "unlock_description": None,
        }
        for number in range(ROWS)
    ]
    return json.dumps(rows, indent=4).encode()


def rungs() -> list[Rung]:
    """Measure, print and return the ratio."""
    body = CAPTURED.read_bytes() if CAPTURED.is_file() else made_up()
    document: list[dict[str, Any]] = json.loads(body)
    text, past = body.decode(), [fingerprint(document[: 1_000 + 20 * each]) for each in range(KEPT)]
    latest = fingerprint(document)
    by_id = {row["id"]: row for row in document}
    nested = {row["id"]: {row["slug"]: {row["name"]: row}} for row in document}
    contestants = {
        TYPED: Contestant(partial(msgspec.json.Decoder(list[Attachment]).decode, body)),
        FINGERPRINT: Contestant(partial(fingerprint, document)),
        STRICT: Contestant(partial(parse_json, text)),
        JUDGED: Contestant(partial(judge, latest, past)),
        IN_A_MAP: Contestant(partial(fingerprint, by_id)),
        NESTED: Contestant(partial(fingerprint, nested)),
    }
    taken = race(contestants, rounds=ROUNDS)
    taken.tell(f"{len(body) / 1000:.0f} kB, {'captured' if CAPTURED.is_file() else 'made up'}", TYPED)
    figure = f"fingerprint of {len(body) / 1000:.0f} kB, against decoding them into typed rows"
    beside = {name: taken.ratio(name, TYPED) for name in (STRICT, JUDGED, IN_A_MAP, NESTED)}
    return [Rung(figure=figure, measured=taken.ratio(FINGERPRINT, TYPED), must=8, aim=8, beside=beside)]


if __name__ == "__main__":
    tell(rungs())
