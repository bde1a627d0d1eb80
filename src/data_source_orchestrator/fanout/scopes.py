"""The limits of all sources: a scope for each source, one for each host that sources share, and one over all."""

from collections.abc import Mapping
from typing import Any

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.policies import LimitPolicy
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.resilience.guard import Guard
from data_source_orchestrator.resilience.limits import Limits, Scope, scope_of


class Scopes:
    """Makes the limits that a source's guard passes, from the narrowest scope to the widest."""

    def __init__(self, overall: LimitPolicy | None, hosts: Mapping[str, LimitPolicy], clock: Clock) -> None:
        self._clock = clock
        self._policies = dict(hosts)
        self._hosts: dict[str, Scope] = {}
        self._overall = None if overall is None else scope_of("all sources together", overall, clock)

    def limit(self, guard: Guard, source: Source[Any]) -> None:
        """Let a guard pass its source's limits; without any there is nothing to pass."""
        own = None if source.limits is None else scope_of(f"{source.key} itself", source.limits, self._clock)
        host = None if source.host is None else self._host(source.host)
        scopes = [scope for scope in (own, host, self._overall) if scope is not None]
        pace = next((scope.rate for scope in (host, own) if scope is not None), None)
        guard.limit_by(Limits(scopes) if scopes else None, pace)

    def _host(self, name: str) -> Scope:
        """Return a host's scope, which also keeps the waits that the host asks for, whether its pace is set or not."""
        scope = self._hosts.get(name)
        if scope is None:
            scope = self._hosts[name] = scope_of(name, self._policies.get(name, LimitPolicy()), self._clock)
        return scope
