"""A table of a settings file laid over a policy: what the table does not set stays the policy's own.

Which tables there are is not known here.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from typing import Any, TypeVar

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import ConcurrencyPolicy, LimitPolicy, RateLimitPolicy

P = TypeVar("P")


def laid_over(own: P | None, kind: type[P], members: Mapping[str, Any], name: str) -> P:
    """Return a policy with these members set; where there is none yet, all that has no default must be among them.

    `name` is the table's, for the `ConfigurationError` that tells what is missing.
    """
    if own is not None:
        return replace(own, **members)  # type: ignore[type-var]  # every policy is a dataclass
    for member in fields(kind):  # type: ignore[arg-type]  # the same
        if member.default is MISSING and member.name not in members:
            raise ConfigurationError(
                f"{name}.{member.name} is not given, and has no default; give {_needed(kind)} in this table"
            )
    return kind(**members)


def limits_laid_over(own: LimitPolicy | None, members: Mapping[str, Any]) -> LimitPolicy:
    """Return limits with those members of pace and concurrency set."""
    before = own or LimitPolicy()
    rate, concurrency = before.rate, before.concurrency
    if "rate" in members:
        rate = laid_over(rate, RateLimitPolicy, members["rate"], "limits.rate")
    if "concurrency" in members:
        concurrency = laid_over(concurrency, ConcurrencyPolicy, members["concurrency"], "limits.concurrency")
    return LimitPolicy(rate=rate, concurrency=concurrency)


def _needed(kind: type[Any]) -> str:
    return " and ".join(member.name for member in fields(kind) if member.default is MISSING)
