"""What has changed in a document's structure, place by place, judged by its own past."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

from data_source_orchestrator.drift.alignment import Places, aligned
from data_source_orchestrator.drift.fingerprint import Fingerprint, Kinds
from data_source_orchestrator.drift.paths import ANY, ROWS, Path, written
from data_source_orchestrator.drift.robust import median
from data_source_orchestrator.drift.rules import (
    has_appeared,
    has_vanished,
    null_rate_jumped,
    type_changed,
    volume_moved,
)

NOTHING, *TYPES = Kinds._fields


class Change(StrEnum):
    """What can change in a place."""

    APPEARED = "appeared"
    VANISHED = "vanished"
    TYPE = "type"
    NULLS = "nulls"
    VOLUME = "volume"


class Difference(Struct, frozen=True, kw_only=True):
    """A change in the place of that written path, `before` being what was usual and `after` what there is now.

    Both are, of a field that came or went and of nulls, shares from 0 to 1; of a volume the rows of the list, or the
    average of several lists; of a type the types in words.
    """

    change: Change
    path: str
    before: float | str
    after: float | str


def judge(latest: Fingerprint, usual: Sequence[Fingerprint]) -> tuple[Difference, ...]:
    """Return what differs in the latest fingerprint from the usual ones, in order of path."""
    if not usual:
        return ()
    now, *before = aligned([latest, *usual])
    paths = set(now.paths).union(*(each.paths for each in before))
    return tuple(found for path in sorted(paths) for found in _differences(_Place(path, now, before)))


class _Place:
    """One place: what stands there now, and what stood there wherever it could have been."""

    def __init__(self, path: Path, now: Places, before: Sequence[Places]) -> None:
        self.path = path
        self.now = now.at(path)
        self.of = now.containers(path)
        known = [each for each in before if each.containers(path)]
        self.usual = [each.at(path) for each in known]
        self.usual_of = [each.containers(path) for each in known]
        self.only_counted = any(path in each.cut for each in (now, *known))

    @property
    def shares(self) -> list[float]:
        """How many values each of those that could have them had on average."""
        return [sum(kinds) / of for kinds, of in zip(self.usual, self.usual_of, strict=True)]

    def told(self, change: Change, before: float | str, after: float | str) -> Difference:
        return Difference(change=change, path=written(self.path), before=before, after=after)


def _differences(place: _Place) -> Iterator[Difference]:
    """Yield what has changed in a place; where what holds it has come or gone itself, that is told there."""
    if not place.usual or not place.of:
        return
    if not place.path:
        yield from _types(place)
    elif place.path[-1] in {ROWS, ANY}:
        yield from _of_rows(place)
    else:
        yield from _of_field(place)


def _of_rows(place: _Place) -> Iterator[Difference]:
    """Judge a list's rows, or a map's entries: how many there are, and what each of them is."""
    length = sum(place.now) / place.of
    if volume_moved(length, min(place.of, median(place.usual_of)), place.shares):
        yield place.told(Change.VOLUME, median(place.shares), length)
    if place.only_counted:
        return
    yield from _nulls(place, sum(place.now), [sum(kinds) for kinds in place.usual])
    yield from _types(place)


def _of_field(place: _Place) -> Iterator[Difference]:
    """Judge a field: whether there is such a one, and what stands in it; a missing one says as little as null."""
    share = sum(place.now) / place.of
    if has_appeared(share, place.of, place.shares):
        yield place.told(Change.APPEARED, 0.0, share)
    elif not share and has_vanished(place.of, place.shares):
        yield place.told(Change.VANISHED, median(place.shares), 0.0)
    elif share and any(place.shares):
        yield from _nulls(place, place.of, place.usual_of)
        yield from _types(place)


def _nulls(place: _Place, of: int, usual_of: Sequence[int]) -> Iterator[Difference]:
    past = [(_said(kinds), those) for kinds, those in zip(place.usual, usual_of, strict=True) if those]
    if not of or not past:
        return
    usual = [(those - said) / those for said, those in past]
    rate = (of - _said(place.now)) / of
    if null_rate_jumped(rate, min(of, median([those for _, those in past])), usual):
        yield place.told(Change.NULLS, median(usual), rate)


def _types(place: _Place) -> Iterator[Difference]:
    """Judge the types of what says something, all types of a place together."""
    usual = [kinds for kinds in place.usual if _said(kinds)]
    values = _said(place.now)
    if not usual or not values:
        return
    fewest = min(values, median([_said(kinds) for kinds in usual]))
    before = {name: [getattr(kinds, name) / _said(kinds) for kinds in usual] for name in TYPES}
    after = {name: getattr(place.now, name) / values for name in TYPES}
    if any(type_changed(after[name], fewest, before[name]) for name in TYPES):
        middle = {name: median(shares) for name, shares in before.items()}
        yield place.told(Change.TYPE, _in_words(middle), _in_words(after))


def _said(kinds: Kinds) -> int:
    return sum(kinds) - kinds.nothing


def _in_words(shares: dict[str, float]) -> str:
    """Return types in words, the most frequent first: text, or number (80 %) and text (20 %)."""
    there = sorted((-share, name) for name, share in shares.items() if share)
    if len(there) == 1:
        return there[0][1]
    return " and ".join(f"{name} ({-share:.0%})".replace("%", " %") for share, name in there)
