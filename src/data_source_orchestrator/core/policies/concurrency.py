"""How many calls may be under way at one time."""

from dataclasses import dataclass

from data_source_orchestrator.core.durations import count, flag
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.telling import told

MOST_GROWTH = 5
"""How many times its first limit an adaptive limit may reach where the policy names no other ceiling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcurrencyPolicy:
    """At most `limit` calls at one time.

    An `adaptive` limit begins there and moves between `least` and `most` (None: five times `limit`): an overload, as a
    timeout or a 429, multiplies it by `decrease`, once for all calls that were under way; as many successes as the
    limit, while it was used to the full, add 1.
    """

    limit: int
    adaptive: bool = False
    least: int = 1
    most: int | None = None
    decrease: float = 0.9

    def __post_init__(self) -> None:
        count(self.limit, "concurrency.limit", least=1)
        flag(self.adaptive, "concurrency.adaptive")
        count(self.least, "concurrency.least", least=1)
        if self.most is not None:
            count(self.most, "concurrency.most", least=1)
        _factor(self.decrease)
        if not self.least <= self.limit <= self.ceiling:
            raise ConfigurationError(
                f"concurrency.limit is {self.limit}, concurrency.least {self.least} and concurrency.most {self.most};"
                " give a limit from least to most"
            )

    @property
    def ceiling(self) -> int:
        """The most that an adaptive limit may reach."""
        return MOST_GROWTH * self.limit if self.most is None else self.most


def _factor(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ConfigurationError(f"concurrency.decrease is {told(value)}; give a number above 0 and below 1")
