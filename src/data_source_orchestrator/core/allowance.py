"""What an upstream says of how much it will still answer."""

import math
from dataclasses import dataclass

from data_source_orchestrator.core.durations import count
from data_source_orchestrator.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """An upstream's own word: `remaining` requests are left until its count begins anew, in `reset_after` seconds."""

    remaining: int
    reset_after: float

    def __post_init__(self) -> None:
        count(self.remaining, "allowance.remaining")
        if not 0 <= self.reset_after < math.inf:
            raise ConfigurationError(f"allowance.reset_after is {self.reset_after!r}; give seconds, 0 or more")
