"""What a settings file says of one source, to be laid over what its plug-in says.

Which sources there are is not known here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.source import Source

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOverrides:
    """The members of a source that were set; None, or an absent breaker member, leaves the source's own.

    `origin` is the table as the person wrote it, for error messages. Durations are seconds.
    """

    enabled: bool | None = None
    priority: int | None = None
    timeout: float | None = None
    attempt_timeout: float | None = None
    max_retries: int | None = None
    update_frequency: str | None = None
    reliability: float | None = None
    minimum_rows: int | None = None
    breaker: Mapping[str, Any] = field(default_factory=dict)
    origin: str = ""

    def apply(self, source: Source[T]) -> Source[T]:
        """Return the source with only these members changed, or raise `ConfigurationError` where they do not fit it."""
        try:
            return source.but(**self._changes(source))
        except ConfigurationError as error:
            raise ConfigurationError(f"{self.origin}: {error}" if self.origin else str(error)) from None

    def _changes(self, source: Source[T]) -> dict[str, Any]:
        plain = {
            "enabled": self.enabled,
            "priority": self.priority,
            "timeout": self.timeout,
            "attempt_timeout": self.attempt_timeout,
            "max_retries": self.max_retries,
            "update_frequency": self.update_frequency,
            "reliability": self.reliability,
        }
        changes: dict[str, Any] = {name: value for name, value in plain.items() if value is not None}
        if self.minimum_rows is not None:
            changes["contract"] = replace(source.contract, minimum_rows=self.minimum_rows)
        if self.breaker:
            changes["breaker"] = replace(source.breaker, **self.breaker)
        return changes
