"""CODArmory: the catalogue of MW2 and MW3 weapons, how they are unlocked, and their attachments.

Six JSON files in a GitHub repository, served as text/plain. They hold no statistics at all, and none are made up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from cod_sources import contracts
from cod_sources.bounds import MOST_NAMED, within
from cod_sources.categories import category_or_note
from cod_sources.concurrently import together
from cod_sources.decoding import Name, R, Text, Whole, decode_row
from cod_sources.games import origin_game
from cod_sources.names import entity_id
from cod_sources.notes import Notes
from cod_sources.rows import Found, by_identity, read_rows, refuse_contradictions, refuse_dangling, rows_of
from cod_sources.statements import Statement, records_of
from cod_sources.words import quoted
from data_source_orchestrator.core.claim import Json, Record
from data_source_orchestrator.core.context import FetchContext, HttpResponse, Show
from data_source_orchestrator.core.source import Source

KEY = "codarmory"

KIB = 1024

FILES = {
    "weapons": 2048 * KIB,
    "attachments": 8192 * KIB,
    **dict.fromkeys(("categories", "platforms", "attachment-categories", "attachment-stats"), 256 * KIB),
}
"""The repository's files by name, without `.json`, and the most bytes that each may have.

In 2023 the first had 286 kB, the second 943 kB, and each of the others at most 12 kB.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weapon:
    """A row of weapons.json.

    `unlock_id` means what `unlock_type` makes of it: another weapon's id, a battle-pass sector, or a character.
    """

    id: Name
    name: Name
    game_id: Name
    category_id: Name
    platform_id: Name | None = None
    max_level: Whole | None = None
    unlock_type: Name | None = None
    unlock_id: Name | None = None
    unlock_level: Whole | None = None
    unlock_summary: Text | None = None
    unlock_description: Text | None = None
    attachments: tuple[Name, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A row of attachments.json; its slot is its category, and `pros` and `cons` name statistics without figures."""

    id: Name
    name: Name
    game_id: Name
    category_id: Name
    slug: Name | None = None
    description: Text | None = None
    pros: tuple[Name, ...] = ()
    cons: tuple[Name, ...] = ()
    unlock_type: Name | None = None
    unlock_id: Name | None = None
    unlock_level: Whole | None = None
    unlock_summary: Text | None = None
    unlock_description: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A row of categories.json; `slot` is primary or secondary."""

    id: Name
    name: Name
    alias: Name | None = None
    slot: Name | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A row of platforms.json."""

    id: Name
    name: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentCategory:
    """A row of attachment-categories.json."""

    id: Name
    name: Name
    singular_name: Name | None = None
    sorting: Whole | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentStat:
    """A row of attachment-stats.json."""

    id: Name
    name: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class CodArmory:
    """What CODArmory's six files hold, and the records made of its weapons."""

    weapons: tuple[Weapon, ...]
    attachments: tuple[Attachment, ...]
    categories: tuple[Category, ...]
    platforms: tuple[Platform, ...]
    attachment_categories: tuple[AttachmentCategory, ...]
    attachment_stats: tuple[AttachmentStat, ...]
    records: tuple[Record, ...]


def read(files: Mapping[str, object], notes: Notes) -> CodArmory:
    """Return the payload made of the six files' JSON values by name, or raise `FetchError(content)`."""
    weapons = _rows(files, "weapons", Weapon, lambda row: entity_id(row.name, row.game_id), notes)
    refuse_contradictions(weapons, "weapons.json")
    named = [key for one in weapons for key in one.row.attachments or ()]
    within(named, MOST_NAMED, "the attachments of all weapons")
    attachments = _rows(files, "attachments", Attachment, _attachment_identity, notes)
    categories = _rows(files, "categories", Category, lambda row: row.id, notes)
    platforms = _rows(files, "platforms", Platform, lambda row: row.id, notes)
    slots = _rows(files, "attachment-categories", AttachmentCategory, lambda row: row.id, notes)
    stats = _rows(files, "attachment-stats", AttachmentStat, lambda row: row.id, notes)
    catalogue = _Catalogue(
        attachments=by_identity(attachments, notes),
        categories=by_identity(categories, notes),
        platforms=by_identity(platforms, notes),
    )
    refuse_dangling(named, catalogue.attachments, "attachments that weapons name")
    refuse_dangling(
        [one.row.platform_id for one in weapons if one.row.platform_id],
        catalogue.platforms,
        "platforms that weapons name",
    )
    refuse_dangling([one.row.category_id for one in weapons], catalogue.categories, "categories that weapons name")
    return CodArmory(
        weapons=rows_of(weapons),
        attachments=rows_of(attachments),
        categories=rows_of(categories),
        platforms=rows_of(platforms),
        attachment_categories=rows_of(slots),
        attachment_stats=rows_of(stats),
        records=records_of([_statement(weapon, catalogue, notes) for weapon in weapons], notes),
    )


def source(base_url: str) -> Source[CodArmory]:
    """Return the source that reads the six files below `base_url`."""

    async def fetch(ctx: FetchContext) -> CodArmory:
        async with together() as group:
            tasks = {
                name: group.create_task(ctx.http.get(_address(base_url, name), max_body=largest))
                for name, largest in FILES.items()
            }
        answers = {name: task.result() for name, task in tasks.items()}
        payload, notes = await ctx.parsed(KEY, tuple(answers.values()), partial(_read_answers, answers, ctx.show))
        notes.tell(ctx.warn)
        return payload

    async def probe(ctx: FetchContext) -> None:
        await ctx.http.check(_address(base_url, "categories"))

    return Source(
        key=KEY,
        title="CODArmory",
        fetcher=fetch,
        probe=probe,
        priority=1,
        provides=("base_stats", "attachments", "categories"),
        update_frequency="weekly",
        reliability=0.95,
        timeout=30,
        attempt_timeout=10,
        contract=contracts.CODARMORY,
        records=lambda payload: payload.records,
        payload_type=CodArmory,
        upstream=base_url,
        robots_reason="it reads six raw files of a public repository, and no page",
    )


def _read_answers(answers: Mapping[str, HttpResponse], show: Show) -> tuple[CodArmory, Notes]:
    files, notes = {name: answer.json() for name, answer in answers.items()}, Notes()
    for name, document in files.items():
        show(f"{name}.json", document, body=answers[name].body)
    return read(files, notes), notes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Catalogue:
    """The rows that weapons refer to, by id."""

    attachments: Mapping[str, Attachment]
    categories: Mapping[str, Category]
    platforms: Mapping[str, Platform]


def _address(base_url: str, name: str) -> str:
    return f"{base_url}/src/database/{name}.json"


def _rows(
    files: Mapping[str, object], name: str, row_type: type[R], identify: Callable[[R], str], notes: Notes
) -> list[Found[R]]:
    return read_rows(files[name], f"{name}.json", lambda item: decode_row(item, row_type), identify, notes)


def _attachment_identity(row: Attachment) -> str:
    origin_game(row.game_id)  # another game's attachments spoil the whole answer, as its weapons would
    return row.id


def _statement(found: Found[Weapon], catalogue: _Catalogue, notes: Notes) -> Statement:
    row = found.row
    category = catalogue.categories.get(row.category_id)
    platform = catalogue.platforms.get(row.platform_id) if row.platform_id else None
    fields: dict[str, Json] = {
        "name": row.name,
        "game": origin_game(row.game_id),
        "category": category_or_note(row.category_id, found.path, notes),
        "slot": category.slot if category else None,
        "platform": platform.name if platform else None,
        "max_level": row.max_level,
        "unlock.type": row.unlock_type,
        "unlock.by": row.unlock_id,
        "unlock.level": row.unlock_level,
        "unlock.summary": row.unlock_summary,
        "unlock.description": row.unlock_description,
        "attachments": _attachments(found, catalogue.attachments, notes),
    }
    return Statement(found.identity, found.path, fields)


def _attachments(found: Found[Weapon], known: Mapping[str, Attachment], notes: Notes) -> list[Json] | None:
    """Return a weapon's attachments by slot and name; an empty list is a statement, a missing one is none."""
    if found.row.attachments is None:
        return None
    named = set(found.row.attachments)
    for unknown in sorted(key for key in named if key not in known):
        notes.add(
            "unknown attachments", f"{found.path} names the attachment {quoted(unknown)}, which no file describes"
        )
    fitting = [known[key] for key in named if key in known]
    fitting.sort(key=lambda one: (one.category_id, one.name, one.id))
    return [{"id": one.id, "name": one.name, "slot": one.category_id} for one in fitting]
