"""What share of the time a source's data is meant to be fresh, and over how long that is measured."""

from dataclasses import dataclass

from data_source_orchestrator.core.durations import count
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.telling import told

LONGEST_DAYS = 90
"""Days that the record of times without fresh data reaches back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshnessPolicy:
    """The objective of every source's freshness.

    `objective` is the share of the last `days` days in which its data is meant to be fresh; what is left of them is
    the error budget.
    """

    objective: float = 0.95
    days: int = 30

    def __post_init__(self) -> None:
        given: object = self.objective
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < 1:
            raise ConfigurationError(
                f"freshness.objective is {told(given)}; give a number between 0 and 1, such as 0.95: an objective of 1"
                " leaves no error budget"
            )
        count(self.days, "freshness.days", least=1, most=LONGEST_DAYS)
