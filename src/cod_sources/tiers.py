"""Tier lists, one for each mode: which tier a weapon stands in, told by ids of the upstream's own weapon rows."""

import re
from collections.abc import Iterable, Iterator, Mapping

from cod_sources.names import collapse_slug
from cod_sources.notes import Notes
from cod_sources.statements import Statement
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind

TIERS = ("META", "A", "B", "C", "D")
"""From the best to the worst."""

TierList = Mapping[str, tuple[str, ...]]
"""The ids in each tier, in the upstream's order of rank."""


class WeaponIds:
    """Finds the weapon that an id means: the one written alike, else the only one alike once decoded and collapsed."""

    def __init__(self, weapons: Iterable[tuple[str, str]]) -> None:
        self._exact: dict[str, set[str]] = {}
        self._collapsed: dict[str, set[str]] = {}
        for weapon_id, entity in weapons:
            self._exact.setdefault(weapon_id, set()).add(entity)
            self._collapsed.setdefault(collapse_slug(weapon_id), set()).add(entity)

    def find(self, weapon_id: str) -> str | None:
        """Return the entity, or None where no weapon, or more than one, answers to this id."""
        collapsed = collapse_slug(weapon_id)
        alike = self._collapsed.get(collapsed, set()) if collapsed else set()
        entities = self._exact.get(weapon_id, alike)
        return next(iter(entities)) if len(entities) == 1 else None


def read_tier_lists(raw: object, path: str, notes: Notes) -> dict[str, TierList]:
    """Return the tier list of every mode, passing over the plain members that stand beside the modes.

    Raise `FetchError(content)` where there is no mode at all.
    """
    members = raw if isinstance(raw, dict) else {}
    modes = {mode: tiers for mode, tiers in members.items() if isinstance(tiers, dict) and _named(mode, path, notes)}
    if not modes:
        raise FetchError(FailureKind.CONTENT, f"{path} holds no mode's tier list, and it is there for nothing else")
    return {mode: dict(_tiers(tiers, f"{path}.{mode}", notes)) for mode, tiers in modes.items()}


def tier_statements(tier_lists: Mapping[str, TierList], ids: WeaponIds, path: str, notes: Notes) -> list[Statement]:
    """Return each weapon's best tier in each mode; ids that name no weapon are noted."""
    nameless: dict[str, list[str]] = {}
    statements: list[Statement] = []
    for mode, tier_list in tier_lists.items():
        for entity, tiers in _standing(mode, tier_list, ids, nameless).items():
            if len(set(tiers)) > 1:
                told = ", ".join(dict.fromkeys(tiers))
                notes.add("weapons in several tiers", f"{entity} stands in {told} of {mode}; the best counts")
            statements.append(Statement(entity, f"{path}.{mode}", {f"tier.{mode}": tiers[0]}))
    for weapon_id, modes in nameless.items():
        told = ", ".join(dict.fromkeys(modes))
        notes.add("ids without a weapon", f"{path} ranks {weapon_id!r} in {told}, and no single weapon has that id")
    return statements


def _named(mode: str, path: str, notes: Notes) -> bool:
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", mode):
        return True
    notes.add("odd modes", f"{path} has a mode called {mode!r}, which cannot name a field; it is left out")
    return False


def _tiers(raw: Mapping[str, object], path: str, notes: Notes) -> Iterator[tuple[str, tuple[str, ...]]]:
    for tier, ids in raw.items():
        if tier not in TIERS:
            notes.add("unknown tiers", f"{path} has the unknown tier {tier!r}; it is left out")
        elif not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
            notes.add("odd tiers", f"{path}.{tier} is not a list of ids; it is left out")
        else:
            yield tier, tuple(ids)


def _standing(mode: str, tier_list: TierList, ids: WeaponIds, nameless: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the tiers of each weapon, the best first; the ids that name none are added to `nameless`."""
    standing: dict[str, list[str]] = {}
    for tier in TIERS:
        for weapon_id in tier_list.get(tier, ()):
            entity = ids.find(weapon_id)
            if entity is None:
                nameless.setdefault(weapon_id, []).append(mode)
            else:
                standing.setdefault(entity, []).append(tier)
    return standing
