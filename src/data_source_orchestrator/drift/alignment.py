"""Makes fingerprints of one document comparable: what is a map in one of them is a map in all.

Whether names are data is decided for each document by itself, near a threshold one way and the other.
"""

from collections.abc import Iterable, Mapping, Sequence

from data_source_orchestrator.drift.fingerprint import Fingerprint, Kinds
from data_source_orchestrator.drift.paths import ANY, ROWS, Path, split


class Places:
    """A fingerprint by path, as the judge reads it."""

    def __init__(self, paths: Mapping[Path, Kinds], cut: frozenset[Path] = frozenset()) -> None:
        self.paths = paths
        self.cut = cut

    def at(self, path: Path) -> Kinds:
        """Return what stands in a place; nothing where there is no such place."""
        return self.paths.get(path, _NONE)

    def containers(self, path: Path) -> int:
        """Return how many lists or objects could have something in this place; there is always one document."""
        if not path:
            return 1
        held = self.at(path[:-1])
        return held.list if path[-1] == ROWS else held.object


_NONE = Kinds()


def aligned(fingerprints: Sequence[Fingerprint]) -> list[Places]:
    """Return these fingerprints, in each of which a map's entries have one place if they have it in any."""
    places = [
        Places({split(path): kinds for path, kinds in each.paths.items()}, frozenset(map(split, each.cut)))
        for each in fingerprints
    ]
    if all(each.paths.keys() == fingerprints[0].paths.keys() for each in fingerprints):
        return places  # what is a map in one of them is one in all already
    level = 0
    while maps := _maps_at(places, level):
        if any(maps.values()):
            places = [_folded(each, maps, level) for each in places]
        level += 1
    return places


def _maps_at(places: Iterable[Places], level: int) -> dict[Path, frozenset[str] | None]:
    """Return the paths of that many segments with, for a map, the names beside its entries; None for what is no map.

    A name is beside the entries where a fingerprint that knows the map has it all the same.
    """
    maps: dict[Path, frozenset[str] | None] = {}
    for each in places:
        members: dict[Path, set[str]] = {}
        for path in each.paths:
            if len(path) > level:
                members.setdefault(path[:level], set()).add(path[level])
        for path, segments in members.items():
            known = maps.get(path)
            beside = frozenset(segments) | (known or frozenset()) if ANY in segments else known
            maps[path] = beside
    return maps


def _folded(places: Places, maps: Mapping[Path, frozenset[str] | None], level: int) -> Places:
    """Return the places with the entries of the maps in one."""

    def moved(path: Path) -> Path:
        beside = maps.get(path[:level]) if len(path) > level else None
        if beside is None or path[level] == ROWS or path[level] in beside:
            return path
        return (*path[:level], ANY, *path[level + 1 :])

    paths: dict[Path, Kinds] = {}
    for path, kinds in places.paths.items():
        target = moved(path)
        known = paths.get(target)
        paths[target] = kinds if known is None else Kinds(*map(sum, zip(known, kinds, strict=True)))
    return Places(paths, frozenset(map(moved, places.cut)))
