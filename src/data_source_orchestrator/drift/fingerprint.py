"""A document's structural fingerprint: which places it has, and how many values of which kind stand there.

It is the same in whatever order rows and members come, and never larger than its bounds, whatever the document.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Annotated, NamedTuple, cast

from msgspec import Meta, Struct

from data_source_orchestrator.drift.folding import data_names
from data_source_orchestrator.drift.paths import ANY, ROOT, ROWS, Path, segment, written

MOST_PATHS = 500
"""Places of one document; a list or an object that would bring more is counted and not followed."""

MOST_LEVELS = 32
"""Segments of a path; what lies deeper is counted at the first step and not followed."""

MOST_VALUES = 1_000_000
"""Values of one document that are looked at; a list or an object that would bring more is counted and not followed."""

Count = Annotated[int, Meta(ge=0)]


class Kinds(NamedTuple):
    """How many values of each kind stand in one place; null and the empty text both say nothing."""

    nothing: Count = 0
    boolean: Count = 0
    number: Count = 0
    text: Count = 0
    object: Count = 0
    list: Count = 0
    other: Count = 0


class Fingerprint(Struct, frozen=True, kw_only=True):
    """What a document is made of, by written path; in the paths of `cut` values were counted, and not looked at."""

    paths: Mapping[str, Kinds]
    cut: tuple[str, ...] = ()


def fingerprint(document: object) -> Fingerprint:
    """Return the fingerprint of a parsed document; its cost grows with the document up to a million values."""
    return _Reader().read(document)


class _Reader:
    """Reads a document level by level, all values of one place together."""

    def __init__(self) -> None:
        self._paths: dict[Path, Kinds] = {}
        self._cut: list[Path] = []
        self._values = 0
        self._places = 1

    def read(self, document: object) -> Fingerprint:
        level: list[tuple[Path, Sequence[object]]] = [(ROOT, [document])]
        while level:
            level = [below for path, values in level for below in self._below(path, values)]
        return Fingerprint(
            paths={written(path): kinds for path, kinds in sorted(self._paths.items())},
            cut=tuple(written(path) for path in sorted(self._cut)),
        )

    def _below(self, path: Path, values: Sequence[object]) -> list[tuple[Path, Sequence[object]]]:
        """Count the values of a place, and return the places below it."""
        self._paths[path] = kinds = kinds_of(values)
        if not (kinds.object or kinds.list):
            return []
        objects = [value for value in values if isinstance(value, Mapping)] if kinds.object else []
        lists = [value for value in values if isinstance(value, (list, tuple))] if kinds.list else []
        members, rows = sum(map(len, objects)), sum(map(len, lists))
        if self._values + members + rows > MOST_VALUES or len(path) >= MOST_LEVELS:
            return self._only_counted(path, members, rows)
        places = _fields(path, objects) if objects else []
        if rows:
            places.append(((*path, ROWS), list(chain.from_iterable(lists))))
        if self._places + len(places) > MOST_PATHS:
            return self._only_counted(path, members, rows)
        self._places += len(places)
        self._values += members + rows
        return places

    def _only_counted(self, path: Path, members: int, rows: int) -> list[tuple[Path, Sequence[object]]]:
        for place, count in (((*path, ANY), members), ((*path, ROWS), rows)):
            if count:
                self._paths[place] = Kinds(other=count)
                self._cut.append(place)
        return []


def kinds_of(values: Sequence[object]) -> Kinds:
    """Return how many of these values are of which kind."""
    counts = dict.fromkeys(Kinds._fields, 0)
    for kind, count in Counter(map(type, values)).items():
        counts[_kind(kind)] += count
    if counts["text"]:
        empty = values.count("")
        counts["text"] -= empty
        counts["nothing"] += empty
    return Kinds(**counts)


def _kind(kind: type) -> str:
    if kind is str or issubclass(kind, str):
        return "text"
    if kind is type(None):
        return "nothing"
    if kind is bool:
        return "boolean"
    if issubclass(kind, (int, float)):
        return "number"
    if issubclass(kind, Mapping):
        return "object"
    return "list" if issubclass(kind, (list, tuple)) else "other"


def _fields(path: Path, objects: Sequence[Mapping[object, object]]) -> list[tuple[Path, Sequence[object]]]:
    """Return the places of these objects' members, those that are named by data being one place."""
    columns = _columns(objects)
    data = data_names(columns, len(objects))
    places: list[tuple[Path, Sequence[object]]] = [
        ((*path, segment(name)), values) for name, values in columns.items() if name not in data
    ]
    if data:
        places.append(((*path, ANY), list(chain.from_iterable(columns[name] for name in data))))
    return sorted(places, key=_by_path)


def _by_path(place: tuple[Path, Sequence[object]]) -> Path:
    return place[0]


def _columns(objects: Iterable[Mapping[object, object]]) -> dict[str, list[object]]:
    """Return the values by name; a name that is no text is one all the same."""
    columns: dict[object, list[object]] = {}
    for each in objects:
        for name, value in each.items():
            if name in columns:
                columns[name].append(value)
            else:
                columns[name] = [value]
    if all(isinstance(name, str) for name in columns):
        return cast("dict[str, list[object]]", columns)
    named: dict[str, list[object]] = {}
    for name, values in columns.items():
        named.setdefault(str(name), []).extend(values)
    return named
