"""How long a source's latest successes took, and within what time a share of its calls succeeds: a live quantile.

A hedge's loser, and a call that timed out, are only known to last *at least* so long. Leaving them out would make a
slow source look fast, and each hedge would make the next one come earlier. They are counted as E. L. Kaplan and
P. Meier count what left a study before its end ("Nonparametric Estimation from Incomplete Observations", 1958).
"""

import math
from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence

from data_source_orchestrator.core.policies import LATENCIES_KEPT

_ROUNDING = 1e-9  # 0.55 · 100 is a little more than 55 to a computer


class Latencies:
    """The last `kept` successes of one source, in seconds, and what was censored beside them.

    A censored latency is forgotten together with the success before it. It never lowers a quantile: it only says that
    more calls were still under way.
    """

    __slots__ = ("_censored", "_kept", "_known", "_newest", "_seen", "_sorted")

    def __init__(self, kept: int = LATENCIES_KEPT) -> None:
        self._kept = kept
        self._newest = array("d")
        self._sorted = array("d")
        self._censored: list[tuple[float, int]] = []
        self._seen = 0
        self._known: dict[float, float] = {}

    def __len__(self) -> int:
        return len(self._newest)

    def observe(self, seconds: float) -> None:
        """Take in the latency of a success, in place of the oldest where the ring is full."""
        if len(self._newest) < self._kept:
            self._newest.append(seconds)
        else:
            place = self._seen % self._kept
            del self._sorted[bisect_left(self._sorted, self._newest[place])]
            self._newest[place] = seconds
        insort(self._sorted, seconds)
        self._seen += 1
        self._known.clear()

    def censor(self, seconds: float) -> None:
        """Take in a call that was given up after so many seconds; of very many the shortest are let go."""
        self._drop_old()
        insort(self._censored, (seconds, self._seen))
        if len(self._censored) > self._kept:
            del self._censored[0]
        self._known.clear()

    def quantile(self, share: float, *, least: int = 1) -> float | None:
        """Return the seconds within which that share of the calls succeeds; None below `least` successes."""
        if len(self._newest) < max(1, least):
            return None
        known = self._known.get(share)
        if known is None:
            self._drop_old()
            known = self._known[share] = product_limit(self._sorted, [each for each, _ in self._censored], share)
        return known

    def _drop_old(self) -> None:
        oldest = self._seen - self._kept
        if self._censored and oldest >= 0:
            self._censored = [(seconds, born) for seconds, born in self._censored if born > oldest]


def product_limit(times: Sequence[float], censored: Sequence[float], share: float) -> float:
    """Return Kaplan and Meier's estimate of a quantile from sorted latencies, at least one, and sorted censored ones.

    Without censored ones it is the nearest rank. Where they hide the quantile, it is the longest latency that was
    seen: the most that is known for sure.
    """
    surviving, wanted = 1.0, 1.0 - share + _ROUNDING
    passed, at_risk = 0, len(times) + len(censored)
    for limit in (*censored, math.inf):
        within = bisect_right(times, limit, passed) - passed
        after = surviving * (at_risk - within) / at_risk if at_risk else surviving
        if within and after <= wanted:
            return times[passed + max(1, math.ceil(at_risk * (1.0 - wanted / surviving))) - 1]
        surviving, passed, at_risk = after, passed + within, at_risk - within - 1
    return times[-1]
