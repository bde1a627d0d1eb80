"""The limits of all sources: a scope for each source, one for each host that sources share, and one over all."""

from collections.abc import Mapping
from typing import Any

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.policies import LimitPolicy
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.resilience.guard import Guard
from data_source_orchestrator.resilience.limits import Limits, Scope, changed_scope, scope_of
from data_source_orchestrator.resilience.rate_limiter import RateLimiter


def own_pace(key: str) -> str:
    """Return the name of a source's own pace."""
    return f"source {key}"


def _host_pace(name: str) -> str:
    return f"host {name}"


def moved_pace(source: Source[Any]) -> str:
    """Return the name of the pace that an upstream's own wait moves: its host's, where it names one."""
    return own_pace(source.key) if source.host is None else _host_pace(source.host)


class Scopes:
    """Makes the limits that a source's guard passes, from the narrowest scope to the widest.

    A scope outlives a change of its policies: what was taken stays taken, and an upstream's own wait is kept. Who is
    under way counts as long as calls at once are limited. Limits that are taken away are forgotten, and keep nobody.
    """

    def __init__(self, overall: LimitPolicy | None, hosts: Mapping[str, LimitPolicy], clock: Clock) -> None:
        self._clock = clock
        self._policies = dict(hosts)
        self._hosts: dict[str, Scope] = {}
        self._overall = None if overall is None else scope_of("all sources together", overall, clock)
        self._own: dict[str, Scope] = {}

    @property
    def paces(self) -> dict[str, RateLimiter]:
        """The pace of each scope, by a name that is the same in every process."""
        scopes = {own_pace(key): scope for key, scope in self._own.items()}
        scopes |= {_host_pace(name): scope for name, scope in self._hosts.items()}
        scopes |= {} if self._overall is None else {"all": self._overall}
        return {name: scope.rate for name, scope in scopes.items() if scope.rate is not None}

    def limit(self, guard: Guard, source: Source[Any]) -> None:
        """Let a guard pass its source's limits; without any there is nothing to pass."""
        own = self._of(source.key, source.limits)
        host = None if source.host is None else self._host(source.host)
        scopes = [scope for scope in (own, host, self._overall) if scope is not None]
        pace = next((scope.rate for scope in (host, own) if scope is not None), None)
        guard.limit_by(Limits(scopes) if scopes else None, pace)

    def of_host(self, name: str) -> LimitPolicy | None:
        """Return the limits that were set for a host."""
        return self._policies.get(name)

    def forget(self, key: str) -> None:
        """Let go of a source's own scope, with all that it knows."""
        self._own.pop(key, None)

    def _of(self, key: str, policy: LimitPolicy | None) -> Scope | None:
        """Return a source's own scope, None where it has no limits."""
        known = self._own.pop(key, None)
        if policy is None:
            if known is not None:
                changed_scope(known, LimitPolicy(), self._clock)  # for those who stand in its line
            return None
        if known is None:
            scope = scope_of(f"{key} itself", policy, self._clock)
        else:
            scope = changed_scope(known, policy, self._clock)
        self._own[key] = scope
        return scope

    def _host(self, name: str) -> Scope:
        """Return a host's scope, which also keeps the waits that the host asks for, whether its pace is set or not."""
        scope = self._hosts.get(name)
        if scope is None:
            scope = self._hosts[name] = scope_of(name, self._policies.get(name, LimitPolicy()), self._clock)
        return scope
