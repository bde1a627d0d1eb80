"""What a contract demands of a payload as a whole: how many rows, how many of them carry a field, which words.

Nothing here is the fault of one row, so that no row could be set aside for it.
"""

import math
from collections.abc import Collection, Iterator, Sequence

from data_source_orchestrator.core.contract.baseline import MOST_WORDS, Baseline
from data_source_orchestrator.core.contract.fields import Field, listed
from data_source_orchestrator.core.contract.rows import Rows

LONGEST_WORD = 100
"""Characters of a word; what is longer, or cannot be printed, is none."""

_ROUNDING = 1e-9
"""What a product of shares may lack without being less."""


def too_few(rows: int, minimum: int) -> Iterator[str]:
    """Say that there are fewer rows than are ever believed."""
    if rows < minimum:
        found = "an empty list" if not rows else f"{rows} rows"
        yield f"the upstream served {found}, and fewer than {minimum} rows are not believed"


def too_many(rows: int, maximum: int | None) -> Iterator[str]:
    """Say that there are more rows than are ever believed."""
    if maximum is not None and rows > maximum:
        yield f"the upstream served {rows:,} rows, and more than {maximum:,} are not believed"


def shrunk(rows: int, baseline: Baseline, largest_shrink: float) -> Iterator[str]:
    """Say that there are far fewer rows than there used to be."""
    if (least := _least(baseline.rows, largest_shrink)) > rows:
        had = f"its {_last(baseline)} had {baseline.rows:,g} (median)"
        yield f"the upstream served {rows:,} good rows, and {had}, so that at least {least:,} are expected"


def thinned(field: Field, carried: int, baseline: Baseline, largest_shrink: float) -> Iterator[str]:
    """Say that far fewer rows carry a steady field than there used to be."""
    usual = baseline.carried(field.name)
    if (least := _least(usual, largest_shrink)) > carried:
        had = f"in its {_last(baseline)} {usual:,g} did (median)"
        yield f"{field.name}: {carried:,} rows carry it, and {had}, so that at least {least:,} are expected"


def carriers(rows: Rows, places: Sequence[int], field: Field) -> int:
    """Return how many of the rows at these places carry a field."""
    carrying = rows.carrying(field.name, field.prefix)
    return len(carrying) if len(places) == len(rows) else sum(place in carrying for place in places)


def coverage(rows: Rows, places: Sequence[int], field: Field) -> Iterator[str]:
    """Say that too small a share of the rows at these places carries a field."""
    if not field.coverage or not places:
        return
    carried = carriers(rows, places, field)
    if carried < field.coverage * len(places) - _ROUNDING:
        share = f"{carried:,} of {len(places):,} rows carry it"
        yield f"{field.name}: {share}, and at least {field.coverage:.0%} have to"


def words(rows: Rows, places: Collection[int], field: Field) -> frozenset[str]:
    """Return the words of a watched field in the rows at these places; none where there are too many to be words."""
    held = _held(rows, field)
    if len(places) < len(rows):
        kept = set(places)
        held = [(place, word) for place, word in held if place in kept]
    found = {word for _, word in held if isinstance(word, str)}
    words = frozenset(word for word in found if len(word) <= LONGEST_WORD and word.isprintable())
    return words if len(words) <= MOST_WORDS else frozenset()


def _held(rows: Rows, field: Field) -> list[tuple[int, object]]:
    """Return the places of the rows that carry a field, with what may be a word: its value, or the rest of its name."""
    prefix = field.prefix
    if prefix is None:
        return list(enumerate(rows.column(field.name)))
    start = len(prefix)
    return [(place, name[start:]) for place, name, _ in rows.below(prefix)]


def strange(field: Field, held: frozenset[str]) -> Iterator[str]:
    """Say that a payload holds none of the words that are known, and others instead."""
    known = field.known or ()
    if known and held and not held.intersection(known):
        yield (
            f"{field.name}: none of {listed(known)} occurs, and {listed(tuple(sorted(held)))} instead;"
            " the payload is about something else"
        )


def vanished(field: Field, held: frozenset[str], baseline: Baseline) -> Iterator[str]:
    """Say that words are gone that most of the last good payloads held."""
    gone = tuple(sorted(baseline.usual(field.name) - held))
    if gone:
        verb = "is gone, which was" if len(gone) == 1 else "are gone, which were"
        yield f"{field.name}: {listed(gone)} {verb} in its {_last(baseline)}"


def new(field: Field, held: frozenset[str], baseline: Baseline) -> Iterator[str]:
    """Say that words are in use that were never seen before."""
    found = tuple(sorted(held.difference(field.known or (), baseline.seen(field.name))))
    if found:
        yield f"{field.name}: {listed(found)} {'is' if len(found) == 1 else 'are'} new"


def _least(usual: float | None, largest_shrink: float) -> int:
    """Return the least that is expected where so much is usual."""
    return 0 if usual is None else math.ceil((1 - largest_shrink) * usual - _ROUNDING)


def _last(baseline: Baseline) -> str:
    count = len(baseline.tallies)
    return "last good payload" if count == 1 else f"last {count} good payloads"
