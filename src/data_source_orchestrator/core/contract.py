"""What a payload must be before it counts as data: the absolute floors."""

from collections.abc import Sequence
from dataclasses import dataclass

from data_source_orchestrator.core.durations import count
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The least a payload must hold.

    With `minimum_rows` 0, the default, any value that is not None is data.
    """

    minimum_rows: int = 0

    def __post_init__(self) -> None:
        count(self.minimum_rows, "contract.minimum_rows")

    def breach(self, rows: Sequence[object]) -> FetchError | None:
        """Return what is wrong with these rows, or None."""
        if len(rows) >= self.minimum_rows:
            return None
        found = "an empty list" if not rows else f"{len(rows)} rows"
        return FetchError(
            FailureKind.CONTENT,
            f"the upstream served {found}, and fewer than {self.minimum_rows} rows are not believed",
        )
