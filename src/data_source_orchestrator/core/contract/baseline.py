"""What a source's last good payloads were like, so that the next one can be compared with them.

Values only: where they are kept, and who adds to them, is not known here.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from types import MappingProxyType

KEPT = 7
"""Good payloads that a baseline remembers."""

MOST_WORDS = 200
"""Words of one field that a tally remembers; a field of more has no vocabulary."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What is remembered of one good payload.

    That is how many rows it had, the words that its watched fields held, and how many rows `carried` its steady fields.
    """

    rows: int
    words: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    carried: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Baseline:
    """The last good payloads of one source, at most `KEPT`, the oldest first."""

    tallies: tuple[Tally, ...] = ()

    def after(self, tally: Tally) -> "Baseline":
        """Return the baseline with one more good payload in it."""
        return Baseline((*self.tallies, tally)[-KEPT:])

    @property
    def rows(self) -> float | None:
        """The median of their row counts; None before the first."""
        return median(tally.rows for tally in self.tallies) if self.tallies else None

    def carried(self, name: str) -> float | None:
        """Return the median of the rows that carried a steady field; None where nothing is known of it."""
        counts = [tally.carried[name] for tally in self.tallies if name in tally.carried]
        return median(counts) if counts else None

    def usual(self, name: str) -> frozenset[str]:
        """Return the words of a field that more than half of the payloads held."""
        counts = Counter(word for tally in self.tallies for word in tally.words.get(name, ()))
        return frozenset(word for word, count in counts.items() if 2 * count > len(self.tallies))

    def seen(self, name: str) -> frozenset[str]:
        """Return the words of a field that any of the payloads held."""
        return frozenset(word for tally in self.tallies for word in tally.words.get(name, ()))


NO_BASELINE = Baseline()
"""The baseline of a source that has given no good payload yet."""
