"""Lists of rows, read one by one: a row that cannot be read is set aside, and too many of them spoil the list.

A row with an odd field is read without it, however many there are: it has its identity and its other fields.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cod_sources.bounds import MOST_ROWS, within
from cod_sources.decoding import Decoded
from cod_sources.notes import Notes
from cod_sources.words import quoted
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind

T = TypeVar("T")

SET_ASIDE_AT_MOST = 0.1
"""The share of a list's rows that may be unreadable before the list is not believed."""

SLIPS = 4
"""Contradictions and references that lead nowhere which never spoil a list, however short it is."""

TOLD_ONE_BY_ONE = 0.1
"""The share of a list's rows up to which an odd field is told row by row, and beyond which all at once."""


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A row that was read: its path in the answer, what it is known by, and what it says."""

    path: str
    identity: str
    row: T


def member(document: object, key: str, what: str) -> Any:
    """Return a document's member, or raise `FetchError(content)` where it has none."""
    if isinstance(document, dict) and document.get(key) is not None:
        return document[key]
    raise FetchError(
        FailureKind.CONTENT, f"{what} has no {key!r}; the upstream has changed its format, and nothing of it is used"
    )


def read_rows(
    raw: object,
    path: str,
    decode: Callable[[Any], Decoded[T]],
    identify: Callable[[T], str],
    notes: Notes,
) -> list[Found[T]]:
    """Return the rows that can be read, have an identity and repeat no other; set the others aside with a note.

    `decode` and `identify` raise ValueError for a bad row. Raise `FetchError(content)` where there is no list, an
    empty one, or one of more than `MOST_ROWS`, and as soon as more than a tenth of its rows are set aside.
    """
    found: list[Found[T]] = []
    firsts: dict[str, Found[T]] = {}
    bad: dict[str, str] = {}
    odd: dict[str, dict[str, str]] = {}
    rows = _listed(raw, path)
    for index, item in enumerate(rows):
        place = f"{path}[{index}]"
        try:
            decoded = decode(item)
            one = Found(place, identify(decoded.row), decoded.row)
        except ValueError as error:
            bad[f"{place}{_called(item)}"] = str(error)
            _refuse_many(bad, len(rows), path)
            continue
        first = firsts.setdefault(one.identity, one)
        if first is not one and first.row == one.row:
            notes.add("rows told twice", f"{place}{_called(item)} is set aside: it repeats {first.path}")
            continue
        found.append(one)
        for part in decoded.odd:
            odd.setdefault(part.what, {})[f"{place}{_called(item)}"] = part.why
    for place, why in bad.items():
        notes.add("rows set aside", f"{place} is set aside: {why}")
    for what, reasons in odd.items():
        _note_odd(what, reasons, len(rows), path, notes)
    return found


def by_identity(found: Iterable[Found[T]], notes: Notes) -> dict[str, T]:
    """Index rows that others refer to; where two rows of one identity differ, neither is believed."""
    index: dict[str, Found[T]] = {}
    disputed: set[str] = set()
    for one in found:
        other = index.setdefault(one.identity, one)
        if other.row != one.row:
            disputed.add(one.identity)
            notes.add(
                "contradictions",
                f"{other.path} and {one.path} differ about {quoted(one.identity)}; neither is believed",
            )
    return {identity: one.row for identity, one in index.items() if identity not in disputed}


def refuse_contradictions(found: Sequence[Found[Any]], path: str) -> None:
    """Refuse a list of which more than a tenth of the rows share their identities: what told them apart is gone.

    Of fewer, only what they differ in is left out later.
    """
    counts = Counter(one.identity for one in found)
    alike = [one for one in found if counts[one.identity] > 1]
    if _too_many(alike, found):
        one = alike[0]
        raise FetchError(
            FailureKind.CONTENT,
            f"{len(alike)} of {len(found)} rows of {path} are of one identity with another and differ from it, and more"
            f" than one in ten are not believed; the first is {one.path} ({quoted(one.identity)})",
        )


def refuse_dangling(named: Sequence[str], known: Container[str], what: str) -> None:
    """Refuse references of which more than a tenth lead nowhere: a part of what they refer to is missing."""
    dangling = [key for key in named if key not in known]
    if _too_many(dangling, named):
        raise FetchError(
            FailureKind.CONTENT,
            f"{len(dangling):,} of {len(named):,} {what} are described nowhere, and more than one in ten are not"
            f" believed; the first is {quoted(dangling[0])}",
        )


def _too_many(bad: Sized, of: Sized) -> bool:
    return len(bad) > max(SLIPS, SET_ASIDE_AT_MOST * len(of))


def rows_of(found: Iterable[Found[T]]) -> tuple[T, ...]:
    """Return the rows alone."""
    return tuple(one.row for one in found)


def _listed(raw: object, path: str) -> list[Any]:
    if not isinstance(raw, list):
        raise FetchError(FailureKind.CONTENT, f"{path} is {quoted(raw)}, and a list of rows was expected")
    if not raw:
        raise FetchError(FailureKind.CONTENT, f"{path} is an empty list, and that is never believed")
    return within(raw, MOST_ROWS, path)


def _refuse_many(bad: Mapping[str, str], rows: int, path: str) -> None:
    """Refuse a list as soon as too much of it is bad; to read on would only change the number."""
    if len(bad) > SET_ASIDE_AT_MOST * rows:
        place, why = next(iter(bad.items()))
        raise FetchError(
            FailureKind.CONTENT,
            f"at least {len(bad)} of {rows} rows of {path} cannot be read, and more than one in ten are not believed;"
            f" the first is {place}: {why}",
        )


def _note_odd(what: str, reasons: Mapping[str, str], rows: int, path: str, notes: Notes) -> None:
    """Note what rows are read without; `reasons` by the row's place."""
    if len(reasons) > TOLD_ONE_BY_ONE * rows:
        place, why = next(iter(reasons.items()))
        told = f"{what} could not be read in {len(reasons)} of {rows} rows of {path}: {why}; the first is {place}"
        notes.add("fields that could not be read in many rows", told)
        return
    for place, why in reasons.items():
        notes.add("odd fields", f"{place} is read in part: {why}")


def _called(item: object) -> str:
    if not isinstance(item, dict):
        return ""
    names = (item.get(key) for key in ("name", "WeaponName", "gun", "id", "slug"))
    name = next((name for name in names if isinstance(name, str) and name), None)
    return f" ({quoted(name)})" if name else ""
