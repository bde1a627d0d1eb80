"""WZStats: the tier of every weapon in every mode.

One JSON document. It holds neither a win rate nor a pick rate, and none is made up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlencode

from cod_sources import contracts
from cod_sources.categories import category_or_note
from cod_sources.decoding import Name, decode_row
from cod_sources.games import origin_game
from cod_sources.names import entity_id
from cod_sources.notes import Notes
from cod_sources.rows import Found, member, read_rows, refuse_contradictions, rows_of
from cod_sources.salvage import VITAL
from cod_sources.statements import Statement, records_of
from cod_sources.tiers import TierList, WeaponIds, read_tier_lists, tier_statements
from cod_sources.words import quoted
from data_source_orchestrator.core.claim import Json, Record
from data_source_orchestrator.core.context import FetchContext, HttpResponse, Show
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import FailureKind

KEY = "wzstats"
PATH = "/wz2/weapons/meta/weapons-and-tier-lists/"
ATTRIBUTES = ("game", "name", "type", "displayType", "isNew")
"""What is asked of each weapon; the upstream leaves out what is not asked, but for ids and conversion kits."""

LARGEST = 4 * 1024 * 1024
"""Bytes of the document; in 2024 it had 60 kB."""

WHAT = "weapons-and-tier-lists"
TIER_LISTS = "wzStatsTierList"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weapon:
    """A row of `weapons`.

    A conversion kit is a row of its own under its base weapon's name; `type` is then the class that the kit makes of
    it, and `display_type` the base weapon's, which stands in where there is no other.
    """

    id: Name
    name: Name
    game: Name
    type: Name | None = None
    display_type: Name | None = None
    is_new: bool | None = None
    conversion_kit_id: Name | None = field(default=None, metadata=VITAL)
    base_weapon_id: Name | None = None


KEYS = {
    "type": ("type", "displayType"),
    "display_type": ("displayType",),
    "is_new": ("isNew",),
    "conversion_kit_id": ("conversionKitId",),
    "base_weapon_id": ("baseWeaponId",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WZStats:
    """What WZStats serves: its weapons, the tier lists by mode and tier, when they were made, and the records."""

    weapons: tuple[Weapon, ...]
    tier_lists: Mapping[str, TierList]
    updated_at: str | None
    records: tuple[Record, ...]


def read(document: object, notes: Notes) -> WZStats:
    """Return the payload made of the document, or raise `FetchError(content)`."""
    weapons = read_rows(
        member(document, "weapons", WHAT), "weapons", lambda item: decode_row(item, Weapon, KEYS), _identity, notes
    )
    refuse_contradictions(weapons, "weapons")
    raw_lists = member(document, TIER_LISTS, WHAT)
    tier_lists = read_tier_lists(raw_lists, TIER_LISTS, notes)
    ids = WeaponIds((one.row.id, one.identity) for one in weapons)
    tiers = tier_statements(tier_lists, ids, TIER_LISTS, notes)
    if not tiers:
        raise FetchError(FailureKind.CONTENT, f"{TIER_LISTS} ranks none of the {len(weapons)} weapons in any mode")
    updated_at = raw_lists.get("updatedAt")
    return WZStats(
        weapons=rows_of(weapons),
        tier_lists=tier_lists,
        updated_at=updated_at if isinstance(updated_at, str) else None,
        records=records_of([*(_statement(one, ids, notes) for one in weapons), *tiers], notes),
    )


def source(base_url: str) -> Source[WZStats]:
    """Return the source that reads the tier lists served below `base_url`."""
    address = f"{base_url}{PATH}?{_query()}"

    async def fetch(ctx: FetchContext) -> WZStats:
        answer = await ctx.http.get(address, max_body=LARGEST)
        payload, notes = await ctx.parsed(KEY, [answer], partial(_read_answer, answer, ctx.show))
        notes.tell(ctx.warn)
        return payload

    async def probe(ctx: FetchContext) -> None:
        await ctx.http.check(address)

    return Source(
        key=KEY,
        title="WZStats",
        fetcher=fetch,
        probe=probe,
        priority=2,
        provides=("tier", "win_rate", "pick_rate"),
        update_frequency="hourly",
        reliability=0.90,
        timeout=30,
        attempt_timeout=10,
        contract=contracts.WZSTATS,
        records=lambda payload: payload.records,
        payload_type=WZStats,
        upstream=base_url,
        robots_reason="it reads one JSON document that the site serves to programs, and no page",
    )


def _read_answer(answer: HttpResponse, show: Show) -> tuple[WZStats, Notes]:
    document, notes = answer.json(), Notes()
    show(WHAT, document, body=answer.body)
    return read(document, notes), notes


def _query() -> str:
    return urlencode(
        [
            ("streamerProfileId", "wzstats"),
            *(("weaponGames[]", game) for game in contracts.GAMES),
            ("addConversionKit", "true"),
            *(("weaponAttributes[]", attribute) for attribute in ATTRIBUTES),
        ]
    )


def _identity(row: Weapon) -> str:
    return entity_id(row.name, row.game, row.conversion_kit_id)


def _statement(found: Found[Weapon], ids: WeaponIds, notes: Notes) -> Statement:
    row = found.row
    fields: dict[str, Json] = {
        "name": row.name,
        "game": origin_game(row.game),
        "category": category_or_note(row.type, found.path, notes),
        "is_new": row.is_new,
    }
    if row.conversion_kit_id:
        fields |= {"kit": row.conversion_kit_id, "base": _base(found, ids, notes)}
    return Statement(found.identity, found.path, fields)


def _base(found: Found[Weapon], ids: WeaponIds, notes: Notes) -> str | None:
    """Return the entity of the weapon that a conversion kit is made for."""
    base = ids.find(found.row.base_weapon_id or "")
    if base is None:
        notes.add(
            "kits without a weapon",
            f"{found.path} is a kit for {quoted(found.row.base_weapon_id)}, and no single weapon has that id",
        )
    return base
