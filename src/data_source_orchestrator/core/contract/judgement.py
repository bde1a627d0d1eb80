"""What came of judging a payload by its contract."""

from dataclasses import dataclass

from data_source_orchestrator.core.contract.baseline import Tally
from data_source_orchestrator.core.errors import FetchError


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A payload's judgement.

    `breach` is what is wrong with all of it, None where it is data. `set_aside` are the places, from 0, of the rows
    that are not believed while the others go on. `warnings` are told with the outcome. `tally` is what a good payload
    adds to the baseline; None adds nothing.
    """

    breach: FetchError | None = None
    set_aside: frozenset[int] = frozenset()
    warnings: tuple[str, ...] = ()
    tally: Tally | None = None


ACCEPTED = Judgement()
"""The judgement on what nothing is demanded of."""
