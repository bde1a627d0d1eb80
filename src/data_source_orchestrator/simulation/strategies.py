"""What a world says of limits, hedging and result caches: plain data, as the rest of it.

Every plan is what it takes to build one policy; `policies` builds them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitPlan:
    """The limits of one scope: `rate` calls in `per` seconds, `burst` of them at once; `calls` at one time.

    None is no limit of that kind. An `adaptive` number of calls moves between 1 and five times `calls`.
    """

    rate: int | None = None
    per: float = 1.0
    burst: int = 1
    calls: int | None = None
    adaptive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaPlan:
    """What an upstream itself bears: `calls` in each window of `seconds`; every other one is refused.

    A window begins with the first call in it. A refusal tells when the next one begins, where it `tells_wait`; every
    answer tells how many calls are left, where it `tells_rest`.
    """

    calls: int = 1
    seconds: float = 10.0
    tells_wait: bool = True
    tells_rest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPlan:
    """A host that sources share: its limits as they are set, and the quota that it really has."""

    name: str
    limits: LimitPlan | None = None
    quota: QuotaPlan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgePlan:
    """When a slow call is joined by a second one: after `delay` seconds, or as `samples` successes tell."""

    delay: float | None = None
    quantile: float = 0.95
    samples: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePlan:
    """The ages in seconds up to which what is kept is served: without a call, while it is renewed, beside a failure."""

    ttl: float = 0.0
    revalidate: float = 0.0
    if_error: float = 0.0


PLANS: Mapping[str, type[Any]] = MappingProxyType(
    {"limits": LimitPlan, "overall": LimitPlan, "quota": QuotaPlan, "hedge": HedgePlan, "cache": CachePlan}
)
"""The members of a world's parts that are plans."""


def with_plans(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a part as JSON holds them, each plan of them built."""
    return {
        name: PLANS[name](**value) if name in PLANS and isinstance(value, Mapping) else value
        for name, value in dict(given).items()
    }


def thinned(name: str, value: Any) -> Any:
    """Return a member as JSON is to hold it: of a plan, what is not at its default."""
    if name not in PLANS or not isinstance(value, Mapping):
        return value
    usual = PLANS[name]()
    return {each: given for each, given in value.items() if given != getattr(usual, each)}
