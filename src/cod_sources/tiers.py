"""Tier lists, one for each mode: which tier a weapon stands in, told by ids of the upstream's own weapon rows."""

import re
from collections.abc import Iterable, Iterator, Mapping

from cod_sources.bounds import MOST_IDS, MOST_MODES, within
from cod_sources.names import collapse_slug
from cod_sources.notes import Notes
from cod_sources.statements import Statement
from cod_sources.words import quoted
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind

TIERS = ("META", "A", "B", "C", "D")
"""From the best to the worst."""

PLAIN_MEMBERS = frozenset({"streamerProfileId", "createdAt", "updatedAt"})
"""What stands beside the modes and is none."""

ODD_AT_MOST = 0.1
"""The share of a mode's elements that may be odd before the whole answer is not believed."""

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

    A mode that is no object is left out with a note, as is an odd element of a tier. Raise `FetchError(content)` where
    there is no mode at all or more than there can be, where a tier is no list or longer than it can be, and where more
    than one element of a mode, and more than a tenth of them, are odd.
    """
    members = raw if isinstance(raw, dict) else {}
    modes = {mode: tiers for mode, tiers in members.items() if _is_mode(mode, tiers, path, notes)}
    if not modes:
        raise FetchError(FailureKind.CONTENT, f"{path} holds no mode's tier list, and it is there for nothing else")
    return {mode: _tier_list(tiers, f"{path}.{mode}", notes) for mode, tiers in within(modes, MOST_MODES, path).items()}


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
        notes.add(
            "ids without a weapon", f"no single weapon has the id {quoted(weapon_id)}, which {path} ranks in {told}"
        )
    return statements


def _is_mode(mode: str, tiers: object, path: str, notes: Notes) -> bool:
    if mode in PLAIN_MEMBERS or not _named(mode, path, notes):
        return False
    if isinstance(tiers, dict):
        return True
    notes.add("odd modes", f"{path}.{mode} is {quoted(tiers)}, and a mode's tiers were expected; it is left out")
    return False


def _named(mode: str, path: str, notes: Notes) -> bool:
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,59}", mode):
        return True
    notes.add("odd modes", f"{path} has a mode called {quoted(mode)}, which cannot name a field; it is left out")
    return False


def _tier_list(raw: Mapping[str, object], path: str, notes: Notes) -> TierList:
    _refuse_renamed(raw, path)
    tiers = dict(_tiers(raw, path, notes))
    odd = [
        f"{path}.{tier}[{place}] is {quoted(one)}, and a weapon's id was expected"
        for tier, ids in tiers.items()
        for place, one in enumerate(ids)
        if not isinstance(one, str)
    ]
    _refuse_many(odd, sum(len(ids) for ids in tiers.values()), path)
    for sentence in odd:
        notes.add("odd elements of tiers", f"{sentence}; it is left out")
    return {tier: tuple(one for one in ids if isinstance(one, str)) for tier, ids in tiers.items()}


def _tiers(raw: Mapping[str, object], path: str, notes: Notes) -> Iterator[tuple[str, list[object]]]:
    """Yield the known tiers; one that is null is absent, and what else stands beside them is noted."""
    for tier, ids in raw.items():
        if tier not in TIERS:
            notes.add("unknown tiers", f"{path} has the unknown tier {quoted(tier)}; it is left out")
        elif isinstance(ids, list):
            yield tier, within(ids, MOST_IDS, f"{path}.{tier}")
        elif ids is not None:
            raise FetchError(
                FailureKind.CONTENT,
                f"{path}.{tier} is {quoted(ids)}, and a list of ids was expected;"
                " the upstream has changed its format, and nothing of it is used",
            )


def _refuse_renamed(raw: Mapping[str, object], path: str) -> None:
    """Refuse weapons in an unknown tier where a known one is missing: it has another name now, and its ids are lost."""
    missing = [tier for tier in TIERS if tier not in raw]
    strange = [tier for tier, ids in raw.items() if tier not in TIERS and isinstance(ids, list) and ids]
    if missing and strange:
        raise FetchError(
            FailureKind.CONTENT,
            f"{path} has the unknown tier {quoted(strange[0])} and no {missing[0]}; the upstream has renamed its tiers,"
            " and nothing of it is used",
        )


def _refuse_many(odd: list[str], elements: int, path: str) -> None:
    """Refuse a mode of which too much is odd; a single slip in a mode of five weapons must not cost all the modes."""
    if len(odd) > max(1, ODD_AT_MOST * elements):
        raise FetchError(
            FailureKind.CONTENT,
            f"{len(odd)} of {elements} elements of {path} are no ids, and more than one in ten are not believed;"
            f" the first: {odd[0]}",
        )


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
