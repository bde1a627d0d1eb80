"""What is worth telling about data that is still good: warnings gathered by kind, and never a flood of them."""

from collections import Counter

from data_source_orchestrator.core.context import Warn

TOLD_OF_A_KIND = 5
"""How many warnings of one kind are told in full; the rest are only counted."""

LONGEST = 300
"""Characters of one warning; what an upstream puts into its strings must not fill the report."""


class Notes:
    """Gathers warnings while one answer is read."""

    def __init__(self) -> None:
        self._told: dict[str, list[str]] = {}
        self._counts: Counter[str] = Counter()

    def add(self, kind: str, sentence: str) -> None:
        """Note one finding; `kind` is a noun in the plural, as "rows set aside"."""
        self._counts[kind] += 1
        told = self._told.setdefault(kind, [])
        if len(told) < TOLD_OF_A_KIND:
            told.append(sentence if len(sentence) <= LONGEST else f"{sentence[:LONGEST]}…")

    def sentences(self) -> list[str]:
        """Return what is to be told, in the order of the kinds' first findings."""
        told: list[str] = []
        for kind, first in self._told.items():
            told += first
            if (more := self._counts[kind] - len(first)) > 0:
                told.append(f"and {more} more {kind}")
        return told

    def tell(self, warn: Warn) -> None:
        """Hand every sentence to the attempt's outcome."""
        for sentence in self.sentences():
            warn(sentence)
