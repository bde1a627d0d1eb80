"""What a settings file says of one source, to be laid over what its plug-in says.

Which sources there are is not known here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from data_source_orchestrator.core.contract import Contract
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import BreakerPolicy, BudgetPolicy, CachePolicy, ChaosPolicy, HedgePolicy
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.settings.laying import laid_over, limits_laid_over

T = TypeVar("T")

Members = Mapping[str, Any]
"""The members of a policy that were set, by name."""

PLAIN = (
    "enabled",
    "priority",
    "timeout",
    "attempt_timeout",
    "max_retries",
    "update_frequency",
    "reliability",
    "host",
    "serve_stale",
    "max_data_age",
    "robots",
    "robots_reason",
)
"""What takes the place of a source's member of the same name."""

POLICIES: Mapping[str, type[Any]] = MappingProxyType(
    {
        "contract": Contract,
        "breaker": BreakerPolicy,
        "budget": BudgetPolicy,
        "hedge": HedgePolicy,
        "cache": CachePolicy,
        "chaos": ChaosPolicy,
    }
)
"""What is laid over the source's policy of the same name, or makes one where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOverrides:
    """The members of a source that were set; None, or an absent member of a policy, leaves the source's own.

    A policy that is there and empty switches on what the source has not. `origin` is the table as the person wrote it,
    for error messages. Durations are seconds.
    """

    enabled: bool | None = None
    priority: int | None = None
    timeout: float | None = None
    attempt_timeout: float | None = None
    max_retries: int | None = None
    update_frequency: str | None = None
    reliability: float | None = None
    host: str | None = None
    serve_stale: float | None = None
    max_data_age: float | None = None
    contract: Members | None = None
    robots: bool | None = None
    robots_reason: str | None = None
    breaker: Members | None = None
    limits: Members | None = None
    budget: Members | None = None
    hedge: Members | None = None
    cache: Members | None = None
    chaos: Members | None = None
    origin: str = ""

    def apply(self, source: Source[T]) -> Source[T]:
        """Return the source with only these members changed, or raise `ConfigurationError` where they do not fit it."""
        try:
            return source.but(**self._changes(source))
        except ConfigurationError as error:
            raise ConfigurationError(f"{self.origin}: {error}" if self.origin else str(error)) from None

    def _changes(self, source: Source[T]) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in (*PLAIN, *POLICIES)}
        changes: dict[str, Any] = {name: told[name] for name in PLAIN if told[name] is not None}
        if self.robots is False:
            changes["robots_reason"] = self.robots_reason or ""  # the plug-in's own was not for this
        if self.limits is not None:
            changes["limits"] = limits_laid_over(source.limits, self.limits)
        for name, kind in POLICIES.items():
            if told[name] is not None:
                changes[name] = laid_over(getattr(source, name), kind, told[name], name)
        return changes
