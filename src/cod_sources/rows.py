"""Lists of rows, read one by one: a row that cannot be read is set aside, and too many of them spoil the list."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cod_sources.notes import Notes
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind

T = TypeVar("T")

SET_ASIDE_AT_MOST = 0.1
"""The share of a list's rows that may be unreadable before the list is not believed."""

LONGEST_NAME = 60
"""Characters of a row's name that a note quotes."""


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
    raw: object, path: str, decode: Callable[[Any], T], identify: Callable[[T], str], notes: Notes
) -> list[Found[T]]:
    """Return the rows that can be read and have an identity; set the others aside with a note.

    `decode` and `identify` raise ValueError for a bad row. Raise `FetchError(content)` where there is no list, an
    empty one, or one with more than a tenth of its rows set aside.
    """
    found: list[Found[T]] = []
    bad: list[str] = []
    rows = _listed(raw, path)
    for index, item in enumerate(rows):
        try:
            row = decode(item)
            found.append(Found(f"{path}[{index}]", identify(row), row))
        except ValueError as error:
            bad.append(f"{path}[{index}]{_called(item)} is set aside: {error}")
    if len(bad) > SET_ASIDE_AT_MOST * len(rows):
        raise FetchError(
            FailureKind.CONTENT,
            f"{len(bad)} of {len(rows)} rows of {path} cannot be read, and more than one in ten are not believed;"
            f" the first: {bad[0]}",
        )
    for sentence in bad:
        notes.add("rows set aside", sentence)
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
                "contradictions", f"{other.path} and {one.path} differ about {one.identity!r}; neither is believed"
            )
    return {identity: one.row for identity, one in index.items() if identity not in disputed}


def rows_of(found: Iterable[Found[T]]) -> tuple[T, ...]:
    """Return the rows alone."""
    return tuple(one.row for one in found)


def _listed(raw: object, path: str) -> list[Any]:
    if not isinstance(raw, list):
        raise FetchError(FailureKind.CONTENT, f"{path} is {type(raw).__name__}, and a list of rows was expected")
    if not raw:
        raise FetchError(FailureKind.CONTENT, f"{path} is an empty list, and that is never believed")
    return raw


def _called(item: object) -> str:
    if not isinstance(item, dict):
        return ""
    names = (item.get(key) for key in ("name", "WeaponName", "gun", "id", "slug"))
    name = next((name for name in names if isinstance(name, str) and name), None)
    return f" ({name[:LONGEST_NAME]!r})" if name else ""
