"""What breaks a contract, counted by rule and told within bounds: an upstream's rows must not fill a report."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

TOLD_OF_A_RULE = 3
"""Rows of one rule that are told; the rest are only counted."""

TOLD_RULES = 5
"""Rules that are told; of more only the number is."""

LONGEST = 150
"""Characters of what is said of one row."""


@dataclass(frozen=True, slots=True)
class Demand:
    """A rule in words: what it is about, what it demands, and what rows do that break it."""

    subject: str
    demanded: str
    instead: str


class Findings:
    """Gathers the rows that break the rules of one contract."""

    def __init__(self, rows: int) -> None:
        self.bad: set[int] = set()
        self.sentences: list[str] = []
        self._rows = rows

    def add(self, demand: Demand, bad: Iterable[tuple[int, T]], tell: Callable[[int, T], str]) -> None:
        """Note the rows that break a rule: the place of each, from 0, and what is there, of which `tell` speaks."""
        first: list[str] = []
        places: set[int] = set()
        for place, found in bad:
            if len(first) < TOLD_OF_A_RULE:
                first.append(_shortened(tell(place, found)))
            places.add(place)
        if places:
            self.bad |= places
            self.sentences.append(self._sentence(demand, len(places), first))

    def _sentence(self, demand: Demand, count: int, first: Sequence[str]) -> str:
        more = ", …" if count > len(first) else ""
        broken = f"{count:,} of {self._rows:,} rows {demand.instead}: {', '.join(first)}{more}"
        return f"{demand.subject}: {demand.demanded}, and {broken}"


def bounded(sentences: Sequence[str]) -> tuple[str, ...]:
    """Return the first sentences, and how many more there are."""
    more = len(sentences) - TOLD_RULES
    told = tuple(sentences[:TOLD_RULES])
    return (*told, f"and {more} more rules are broken") if more > 0 else told


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
