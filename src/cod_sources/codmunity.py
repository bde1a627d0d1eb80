"""CODMunity: ballistics of Warzone weapons, and how popular they are in ranked play.

The ballistics stand in the page for browsers, popularity in two rankings of the API, which are worth having and no
more: one that fails is told as a warning. There is no win rate, and none is made up.
"""

import asyncio
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from cod_sources import contracts
from cod_sources.categories import category_or_note
from cod_sources.concurrently import together
from cod_sources.damage import DamageRow, as_json, read_damage, time_to_kill, verified
from cod_sources.decoding import Decoded, Name, Number, Whole, decode_row
from cod_sources.games import origin_game
from cod_sources.names import entity_id
from cod_sources.notes import Notes
from cod_sources.rankings import RANKINGS, Ranking, popularity, read_ranking
from cod_sources.rows import Found, member, read_rows, refuse_contradictions, refuse_dangling, rows_of
from cod_sources.statements import Statement, records_of
from cod_sources.transfer_state import Wanted, find_answer
from cod_sources.ttk import Weapon as Figures
from data_source_orchestrator.core.claim import Json, Record
from data_source_orchestrator.core.context import FetchContext, HttpResponse, Show
from data_source_orchestrator.core.source import Source

KEY = "codmunity"
PAGE = "/weapon-stats/warzone"
RANKING = "/website/pages/meta-loadouts-ranking/"
COMPARATOR = Wanted(
    path="stats-comparator",
    rather="warzone",
    never=re.compile(r"/(?:bo|mw)[0-9]+(?:/|$)"),  # multiplayer of one game: other health, other damage
    keys=("weapons", "weaponStats"),
)

LARGEST = 8 * 1024 * 1024
"""Bytes of the page."""

LARGEST_RANKING = 2 * 1024 * 1024
"""Bytes of a ranking; in 2026 one had 186 kB."""

RANKING_LIMIT = 5.0
"""Seconds that a ranking may take, well below the attempt's own limit."""

RANKING_SHARE = 0.6
"""The share of what is left of the deadline that a ranking may take where that is less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weapon:
    """A row of the page's catalogue; `game` is the origin game."""

    name: Name
    game: Name
    category: Name | None = None
    slug: Name | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeaponStats:
    """A weapon's figures without attachments.

    `ads` is the milliseconds to aim, `bullet_velocity` metres per second, `damage` the table as served: the records
    hold what of it was verified.
    """

    name: Name
    game: Name
    category: Name | None = None
    slug: Name | None = None
    rpm: Number | None = None
    ads: Number | None = None
    bullet_velocity: Number | None = None
    magazine: Whole | None = None
    damage: tuple[DamageRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CodMunity:
    """What CODMunity serves: the catalogue, the figures, the rankings that could be had, and the records."""

    weapons: tuple[Weapon, ...]
    weapon_stats: tuple[WeaponStats, ...]
    rankings: Mapping[str, Ranking]
    records: tuple[Record, ...]


WEAPON_KEYS = {"name": ("WeaponName", "name"), "game": ("appGame",), "category": ("Category",)}
STATS_KEYS = {
    "name": ("gun", "WeaponName", "name"),
    "game": ("sourceGame", "weaponGame", "appGame"),
    "category": ("Category", "weapon_type"),
    "bullet_velocity": ("bv",),
    "magazine": ("mag_size",),
    "damage": (),
}


def read(answer: object, rankings: Iterable[Ranking], notes: Notes) -> CodMunity:
    """Return the payload made of the page's answer and the rankings, or raise `FetchError(content)`."""
    weapons = read_rows(
        member(answer, "weapons", COMPARATOR.path),
        "weapons",
        lambda item: decode_row(item, Weapon, WEAPON_KEYS),
        lambda row: entity_id(row.name, row.game),
        notes,
    )
    stats = read_rows(
        member(answer, "weaponStats", COMPARATOR.path),
        "weaponStats",
        lambda item: _stats(item, notes),
        lambda row: entity_id(row.name, row.game),
        notes,
    )
    refuse_contradictions(weapons, "weapons")
    refuse_contradictions(stats, "weaponStats")
    ranked = {ranking.path: ranking for ranking in rankings}
    catalogue = {one.identity for one in weapons}
    refuse_dangling([one.identity for one in stats], catalogue, "weapons with figures")
    known = catalogue | {one.identity for one in stats}
    said = [_of_weapon(one, notes) for one in weapons]
    said += [_of_stats(one, catalogue, notes) for one in stats]
    said += [one for ranking in ranked.values() for one in _of_listed(popularity(ranking), known, notes)]
    return CodMunity(
        weapons=rows_of(weapons), weapon_stats=rows_of(stats), rankings=ranked, records=records_of(said, notes)
    )


def source(site_url: str, api_url: str) -> Source[CodMunity]:
    """Return the source that reads the page below `site_url` and the rankings below `api_url`."""

    async def fetch(ctx: FetchContext) -> CodMunity:
        asked, rankings = Notes(), dict[str, HttpResponse]()
        async with together() as group:
            for path in RANKINGS:
                group.create_task(_ask_ranking(ctx, api_url, path, rankings, asked))
            asking = group.create_task(ctx.http.get(f"{site_url}{PAGE}", max_body=LARGEST, page=True))
        page = asking.result()
        reading = await ctx.parsed(KEY, [page, *rankings.values()], partial(_read_all, page, rankings, ctx.show))
        for path in reading.lost:
            await ctx.http.forget(rankings[path])
        for notes in (asked, reading.notes):
            notes.tell(ctx.warn)
        return reading.payload

    async def probe(ctx: FetchContext) -> None:
        await ctx.http.check(f"{site_url}{PAGE}", page=True)

    return Source(
        key=KEY,
        title="CODMunity",
        fetcher=fetch,
        probe=probe,
        priority=3,
        provides=("ttk", "damage_range", "recoil", "bullet_velocity"),
        update_frequency="daily",
        reliability=0.92,
        timeout=30,
        attempt_timeout=10,
        contract=contracts.CODMUNITY,
        records=lambda payload: payload.records,
        payload_type=CodMunity,
        upstream=f"{site_url} {api_url}",
        robots_reason="the page is read as robots.txt allows; the rankings are JSON that the site serves to programs",
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was read of the answers; `lost` are the rankings that could not be."""

    payload: CodMunity
    notes: Notes
    lost: frozenset[str]


async def _ask_ranking(
    ctx: FetchContext, api_url: str, path: str, rankings: dict[str, HttpResponse], notes: Notes
) -> None:
    """Add a ranking's answer, or a note of why its popularity is missing."""
    limit = min(RANKING_LIMIT, RANKING_SHARE * ctx.deadline.remaining)
    try:
        async with asyncio.timeout(limit):
            rankings[path] = await ctx.http.get(f"{api_url}{RANKING}{path}", max_body=LARGEST_RANKING)
    except TimeoutError:
        _note_lost(path, f"it did not come within {limit:.3g} s", notes)
    except Exception as error:  # noqa: BLE001 — whatever befalls a ranking, the page's own rows are worth having
        _note_lost(path, error, notes)


def _read_all(page: HttpResponse, answers: Mapping[str, HttpResponse], show: Show) -> _Reading:
    notes = Notes()
    answer = find_answer(page.text(), COMPARATOR, PAGE)
    show(COMPARATOR.path, answer, body=page.body)
    rankings = list(_rankings(answers, notes, show))
    lost = frozenset(answers) - {ranking.path for ranking in rankings}
    return _Reading(read(answer, rankings, notes), notes, lost)


def _rankings(answers: Mapping[str, HttpResponse], notes: Notes, show: Show) -> Iterator[Ranking]:
    """Yield the rankings that can be read; the others are noted."""
    for path in RANKINGS:
        if path not in answers:
            continue
        try:
            document = answers[path].json()
            show(f"ranking {path}", document, body=answers[path].body)
            ranking = read_ranking(document, path, notes)
        except Exception as error:  # noqa: BLE001 — as above: nothing in a ranking is worth losing the page
            _note_lost(path, error, notes)
        else:
            yield ranking


def _note_lost(path: str, why: object, notes: Notes) -> None:
    told = str(why) or type(why).__name__
    notes.add("rankings lost", f"popularity.{path} is missing, because its ranking could not be used: {told}")


def _stats(item: Any, notes: Notes) -> Decoded[WeaponStats]:
    decoded = decode_row(item, WeaponStats, STATS_KEYS)
    damage = read_damage(item.get("simple_damage"), decoded.row.name, notes)
    return replace(decoded, row=replace(decoded.row, damage=damage))


def _of_weapon(found: Found[Weapon] | Found[WeaponStats], notes: Notes) -> Statement:
    row = found.row
    category = category_or_note(row.category, found.path, notes)
    fields: dict[str, Json] = {"name": row.name, "game": origin_game(row.game), "category": category}
    return Statement(found.identity, found.path, fields)


def _of_stats(found: Found[WeaponStats], catalogue: Container[str], notes: Notes) -> Statement:
    """Return what a row of figures says; name and class are the catalogue's, where it lists the weapon.

    Velocity is in metres per second; `ttk` is the milliseconds to kill at no distance, from a verified row alone.
    """
    row = found.row
    figures = Figures(rpm=row.rpm, bullet_velocity=row.bullet_velocity, magazine=row.magazine)
    damage = verified(row.damage, figures, found.identity, notes)
    fields: dict[str, Json] = {
        "ballistics.rpm": row.rpm,
        "ballistics.ads_ms": row.ads,
        "ballistics.bullet_velocity": row.bullet_velocity,
        "ballistics.magazine": row.magazine,
        "ballistics.damage_range": as_json(damage),
        "ballistics.ttk": time_to_kill(damage),
    }
    described = {} if found.identity in catalogue else _of_weapon(found, notes).fields
    return Statement(found.identity, found.path, {**described, **fields})


def _of_listed(said: Iterable[Statement], known: Container[str], notes: Notes) -> Iterator[Statement]:
    """Yield what is said of weapons that the page lists; only those are rows of weapons."""
    for statement in said:
        if statement.entity in known:
            yield statement
        else:
            notes.add(
                "ranked weapons that are not listed",
                f"{statement.path} ranks {statement.entity}, which {PAGE} does not list; its popularity is left out",
            )
