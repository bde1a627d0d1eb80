"""What modelled upstreams bear: each counts its calls itself, whatever the engine believes."""

from data_source_orchestrator.core.allowance import Allowance
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.simulation.strategies import QuotaPlan
from data_source_orchestrator.simulation.wall_clock import TICK
from data_source_orchestrator.simulation.world import SourcePlan, World


class UpstreamQuota:
    """So many calls in each window, which begins with the first call in it; moments are the play's seconds."""

    def __init__(self, plan: QuotaPlan) -> None:
        self.plan = plan
        self.told_in_window = False
        """Whether the upstream has said in this window how much of it is left."""
        self._ends = 0.0
        self._used = 0

    def count(self, now: float) -> bool:
        """Count a call, and return whether it is answered."""
        if now >= self._ends - TICK:
            self._ends, self._used, self.told_in_window = now + self.plan.seconds, 0, False
        self._used += 1
        return self._used <= self.plan.calls

    def rest(self, now: float) -> Allowance | None:
        """Return what the upstream says of the rest of its window, None where it says nothing or that has ended."""
        if not self.plan.tells_rest or now >= self._ends - TICK:
            return None
        self.told_in_window = True
        return Allowance(remaining=max(0, self.plan.calls - self._used), reset_after=self._ends - now)

    def refusal(self, now: float) -> FetchError:
        """Return what a call is told that is too many."""
        wait = max(0.0, self._ends - now) if self.plan.tells_wait else None
        return FetchError(FailureKind.RATE_LIMITED, "modelled: too many", retry_after=wait)


class Quotas:
    """The quotas of one world: those of hosts, and those of sources that stand on none."""

    def __init__(self, world: World) -> None:
        plans = {host.name: host.quota for host in world.hosts}
        self._hosts = {name: UpstreamQuota(plan) for name, plan in plans.items() if plan is not None}
        self._own = {plan.key: UpstreamQuota(plan.quota) for plan in world.sources if plan.quota is not None}

    def of(self, plan: SourcePlan) -> UpstreamQuota | None:
        """Return the quota that a source's calls use up, None where it bears any number."""
        return self._own.get(plan.key) if plan.host is None else self._hosts.get(plan.host)
