"""The pace of one scope worked out again, from the calls that its upstream saw: GCRA by the book, and no other code.

It must not know the engine's own limiter, which is what it is held against.
"""

import math

from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.policies import RateLimitPolicy


class Pace:
    """The theoretical arrival time of one scope, in the play's seconds; without a policy everybody may come."""

    def __init__(self, policy: RateLimitPolicy | None) -> None:
        self._policy = policy
        self._back_at = -math.inf

    @property
    def policy(self) -> RateLimitPolicy | None:
        """The pace as it is set."""
        return self._policy

    def due(self) -> float:
        """Return the moment from which another call keeps the pace."""
        if self._policy is None:
            return -math.inf
        return self._back_at - (self._policy.at_once - 1) * self._interval

    def take(self, now: float) -> None:
        """Count a call."""
        if self._policy is not None:
            self._back_at = max(now, self._back_at) + self._interval

    def back_in(self, now: float) -> float:
        """Return the seconds after which nothing of what was taken is missing any more."""
        return max(0.0, self._back_at - now)

    def change(self, policy: RateLimitPolicy | None, now: float) -> None:
        """Set another pace; what was taken stays taken, and comes back at that."""
        used = 0.0 if self._policy is None else self.back_in(now) / self._interval
        self._policy = policy
        self._back_at = now + used * self._interval if used and policy is not None else -math.inf

    @property
    def _interval(self) -> float:
        return 0.0 if self._policy is None else in_seconds(self._policy.per) / self._policy.limit
