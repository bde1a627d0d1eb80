"""CODMunity's rankings: how popular a weapon is in one mode, told by cards that each show a loadout.

A card's `appGame` is the mode and its `weaponGame` the origin game. Its figures are those with attachments and its
section is the loadout's, so that neither is said of the weapon.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Annotated, Any

from msgspec import Meta

from cod_sources.bounds import MOST_CARDS, MOST_SECTIONS, MOST_TOPICS, within
from cod_sources.decoding import Name, decode_row
from cod_sources.games import is_warzone, origin_game
from cod_sources.names import entity_id
from cod_sources.notes import Notes
from cod_sources.rows import member, read_rows, rows_of
from cod_sources.salvage import VITAL
from cod_sources.statements import Statement
from cod_sources.words import quoted, shortened
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind

RANKINGS = {"warzoneranked": True, "mpranked": False}
"""The rankings asked for, by path, and whether each is about Warzone."""

Percent = Annotated[int, Meta(ge=0, le=100)] | Annotated[float, Meta(ge=0, le=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """An attachment on a card; `weapon` names what unlocks it or is the number 0, `level` is a number or a text."""

    weapon: Name | int | None = None
    level: Name | int | None = None
    label: Name | None = None
    game: Name | None = None
    slug: Name | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What a ranking is about: the mode, and the name and collection of its loadouts."""

    mode: Name
    name: Name
    collection: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A ranked loadout: at which place of which section, from "absolute-meta" down, and its popularity in per cent."""

    name: Name
    weapon_game: Name | None = field(default=None, metadata=VITAL)
    game: Name | None = field(default=None, metadata=VITAL)
    mode: Name | None = field(default=None, metadata=VITAL)
    meta: Name | None = field(default=None, metadata=VITAL)
    collection: Name | None = field(default=None, metadata=VITAL)
    section: Name | None = None
    place: int
    category: Name | None = None
    slug: Name | None = None
    popularity: Percent | None = None
    attachments: Mapping[str, Attachment] = field(default_factory=dict)

    @property
    def entity(self) -> str:
        """The weapon's id; raise ValueError where the card does not tell which game it comes from."""
        origins = {origin_game(label) for label in (self.weapon_game, self.game) if label}
        if len(origins) != 1:
            told = " and ".join(sorted(origins)) or "none"
            raise ValueError(f"it has no identity: one origin game was expected, and {told} is given")
        return entity_id(self.name, origins.pop())


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """A ranking's topics and cards; `last_updated` is milliseconds since 1970."""

    path: str
    last_updated: int | None
    topics: tuple[Topic, ...]
    cards: tuple[Card, ...]


TOPIC_KEYS = {"mode": ("game",)}
CARD_KEYS = {
    "name": ("WeaponName", "name"),
    "weapon_game": ("weaponGame",),
    "game": ("Game",),
    "mode": ("appGame",),
    "collection": ("collec",),
    "category": ("Category",),
    "slug": ("weaponSlug",),
}


def read_ranking(document: object, path: str, notes: Notes) -> Ranking:
    """Return a ranking that is about what was asked, or raise `FetchError(content)`."""
    topics = rows_of(
        read_rows(
            within(member(document, "metas", path), MOST_TOPICS, f"{path}.metas"),
            f"{path}.metas",
            lambda item: decode_row(item, Topic, TOPIC_KEYS),
            lambda topic: topic.name,
            notes,
        )
    )
    cards = rows_of(
        read_rows(
            within(list(islice(_cards(document, path), MOST_CARDS + 1)), MOST_CARDS, f"{path}.cards"),
            f"{path}.cards",
            lambda item: decode_row(item, Card, CARD_KEYS),
            lambda card: card.entity,
            notes,
        )
    )
    _check_topics(topics, path)
    _check_cards(cards, topics, path)
    updated = document.get("lastUpdated") if isinstance(document, dict) else None
    return Ranking(path=path, last_updated=updated if isinstance(updated, int) else None, topics=topics, cards=cards)


def popularity(ranking: Ranking) -> list[Statement]:
    """Return what a ranking's cards say of their weapons; some rankings give no popularity at all."""
    name = f"popularity.{ranking.path}"
    return [
        Statement(card.entity, f"{ranking.path}.{_place(card)}", {name: card.popularity})
        for card in ranking.cards
        if card.popularity is not None
    ]


def _place(card: Card) -> str:
    return f"{'cards' if card.section is None else shortened(card.section)}[{card.place}]"


def _cards(document: object, path: str) -> Iterator[Any]:
    """Yield the raw cards of all sections, each with where it stands; a section may be empty."""
    sections = member(document, "sections", path)
    if not isinstance(sections, list):
        raise FetchError(FailureKind.CONTENT, f"{path}.sections is {quoted(sections)}, and a list was expected")
    for section in within(sections, MOST_SECTIONS, f"{path}.sections"):
        cards = member(section, "cards", f"a section of {path}")
        if not isinstance(cards, list):
            raise FetchError(FailureKind.CONTENT, f"the cards of a section of {path} are no list")
        for place, card in enumerate(cards):
            yield {**card, "section": section.get("name"), "place": place} if isinstance(card, dict) else card


def _check_topics(topics: tuple[Topic, ...], path: str) -> None:
    for topic in topics:
        warzone = is_warzone(topic.mode)
        if warzone is not RANKINGS[path]:
            wanted = "Warzone" if RANKINGS[path] else "multiplayer"
            raise FetchError(
                FailureKind.CONTENT,
                f"{path} should be about {wanted}, and came with {quoted(topic.mode)}; it is refused",
            )
        if not warzone:
            origin_game(topic.mode)  # a mode of multiplayer is a game of its own, and must be one of ours


def _check_cards(cards: tuple[Card, ...], topics: tuple[Topic, ...], path: str) -> None:
    announced = {(topic.mode, topic.name, topic.collection) for topic in topics}
    for card in cards:
        if (card.mode, card.meta, card.collection) not in announced:
            raise FetchError(
                FailureKind.CONTENT,
                f"{path} holds a card of {quoted(card.name)} for {quoted(card.mode)}, {quoted(card.meta)},"
                f" {quoted(card.collection)}, which the ranking does not announce; it is refused",
            )
