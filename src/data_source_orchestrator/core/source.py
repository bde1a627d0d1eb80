"""A source: what to fetch, and how it wants to be treated."""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar, cast, get_origin, overload

from data_source_orchestrator.core.classification import Classification
from data_source_orchestrator.core.contract import ANYTHING, Contract
from data_source_orchestrator.core.durations import Seconds, age, count, flag, in_seconds, seconds, share
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import (
    BreakerPolicy,
    BudgetPolicy,
    CachePolicy,
    ChaosPolicy,
    HedgePolicy,
    LimitPolicy,
)
from data_source_orchestrator.core.policies.cache import serving_stale
from data_source_orchestrator.core.telling import did_you_mean, told

T = TypeVar("T")

Fetcher = Callable[..., Awaitable[T]] | Callable[..., T]
"""An `async def` or a plain function, with no argument or with a `FetchContext`."""

UPDATE_INTERVALS = {"realtime": 60.0, "hourly": 3600.0, "daily": 86400.0, "weekly": 604800.0, "monthly": 2592000.0}
"""Seconds between an upstream's changes, by the word that its source uses."""

_KEY = re.compile(r"[a-z][a-z0-9_-]*")


def rows_of(payload: object) -> Sequence[object]:
    """Return a list payload's items; any other payload is counted as no rows."""
    return payload if isinstance(payload, list | tuple) else ()


@dataclass(frozen=True, kw_only=True)
class Source(Generic[T]):
    """One upstream, named by its key everywhere; the title is for people.

    `timeout` (seconds) is the whole budget: attempts, waits and queueing. `attempt_timeout` bounds one attempt; None
    gives it what is left. `max_retries` None leaves it to the run; 0 is a value. A lower `priority` comes first.
    `contract` says what rows have to be before they are data; without one anything but None is. `classification` is
    what the source knows of its upstream's errors, statuses and pages beyond the common table. `records` gives a
    payload's rows to contract, merge and `fetch_meta_only`. `probe` is a lighter fetcher for health checks. `limits`
    are the source's own; `host` names what it shares with other sources, whose limits the coordinator knows. `budget`
    is what its extra calls may spend; None leaves it to the coordinator. `hedge` and `chaos` are off unless given.
    `cache` keeps accepted payloads, in memory or, where `payload_type` tells what they are, for longer than the
    process; `serve_stale` is the age in seconds up to which one of them is served beside a failure. `max_data_age` is
    how long in seconds it may say the same before that is told as a flaw; None is for ever. `upstream` names where it
    reads, as a base URL that can be set: what was kept of another upstream is not served. `robots` is whether the pages
    that its fetcher reads are asked for only as their sites' robots.txt allows; to leave that off takes a
    `robots_reason`, which is told to whoever asks. `switched_off_by` names the setting that keeps the source off
    whatever the operator says.
    """

    key: str
    fetcher: Fetcher[T] = field(repr=False)
    title: str = ""
    priority: int = 100
    provides: tuple[str, ...] = ()
    update_frequency: str = "daily"
    reliability: float = 1.0
    enabled: bool = True
    timeout: Seconds = 30.0
    attempt_timeout: Seconds | None = None
    max_retries: int | None = None
    breaker: BreakerPolicy = BreakerPolicy()
    limits: LimitPolicy | None = None
    host: str | None = None
    budget: BudgetPolicy | None = None
    hedge: HedgePolicy | None = None
    chaos: ChaosPolicy | None = None
    contract: Contract = ANYTHING
    classification: Classification = Classification()
    records: Callable[[T], Sequence[Any]] = field(default=cast("Callable[[T], Sequence[Any]]", rows_of), repr=False)
    probe: Fetcher[object] | None = field(default=None, repr=False)
    cache: CachePolicy | None = None
    payload_type: type[Any] | None = None
    serve_stale: Seconds | None = None
    max_data_age: Seconds | None = None
    upstream: str = ""
    robots: bool = True
    robots_reason: str = ""
    switched_off_by: str | None = None

    def __post_init__(self) -> None:
        _check_key(self.key)
        _check_parts(self)
        self._set(title=self.title or self.key, provides=_words(self.provides, f"{self.key}.provides"))
        self._set(timeout=seconds(self.timeout, f"{self.key}.timeout"))
        if self.attempt_timeout is not None:
            self._set(attempt_timeout=seconds(self.attempt_timeout, f"{self.key}.attempt_timeout"))
        self._check()

    def _check(self) -> None:
        if self.max_retries is not None:
            count(self.max_retries, f"{self.key}.max_retries")
        if isinstance(self.priority, bool) or not isinstance(self.priority, int):
            raise ConfigurationError(f"{self.key}.priority is {told(self.priority)}; give a whole number")
        flag(self.enabled, f"{self.key}.enabled")
        flag(self.robots, f"{self.key}.robots")
        if not self.robots and not self.robots_reason.strip():
            raise ConfigurationError(
                f"{self.key}.robots is False, and nothing says why; give {self.key}.robots_reason, as 'the owner has"
                " allowed it by letter', or leave robots on"
            )
        share(self.reliability, f"{self.key}.reliability")
        if self.attempt_timeout is not None and in_seconds(self.attempt_timeout) > in_seconds(self.timeout):
            raise ConfigurationError(
                f"{self.key}.attempt_timeout is {self.attempt_timeout!r} and {self.key}.timeout {self.timeout!r};"
                " an attempt cannot last longer than its source: lower the one or raise the other"
            )
        _check_frequency(self.update_frequency, f"{self.key}.update_frequency")
        serving_stale(self.cache, self.serve_stale, self.key)
        if self.max_data_age is not None:
            self._set(max_data_age=age(self.max_data_age, f"{self.key}.max_data_age"))

    def _set(self, **values: object) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def update_interval(self) -> float:
        """Seconds between two changes upstream, by `update_frequency`."""
        return UPDATE_INTERVALS[self.update_frequency]

    @property
    def cache_policy(self) -> CachePolicy | None:
        """How its payloads are kept, `serve_stale` included; None where they are not."""
        return serving_stale(self.cache, self.serve_stale, self.key)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the fetcher itself, without any of the engine around it."""
        return self.fetcher(*args, **kwargs)

    def but(self, **changes: Any) -> "Source[T]":
        """Return a copy with some members changed, checked as if built anew."""
        unknown = [name for name in changes if name not in self.__dataclass_fields__]
        if unknown:
            meant = did_you_mean(unknown[0], self.__dataclass_fields__)
            raise ConfigurationError(f"a source has no member {unknown[0]!r}{meant}")
        return replace(self, **changes)


class Decorator(Protocol):
    """Turns a fetcher into a source of what it returns or will have returned."""

    @overload
    def __call__(self, fetcher: Callable[..., Awaitable[T]], /) -> Source[T]: ...
    @overload
    def __call__(self, fetcher: Callable[..., T], /) -> Source[T]: ...
    def __call__(self, fetcher: Callable[..., Any], /) -> Source[Any]:
        """Return the source."""
        ...


def source(*, key: str, **members: Any) -> Decorator:
    """Turn a function into a `Source`; it is registered nowhere until it is handed to a coordinator."""

    def decorate(fetcher: Callable[..., Any], /) -> Source[Any]:
        return Source(key=key, fetcher=fetcher, **members)

    return cast("Decorator", decorate)


def _check_key(key: object) -> None:
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ConfigurationError(
            f"a source's key is {key!r}; give lower-case letters, digits, '_' or '-', a letter first"
        )


def _check_parts(source: Source[Any]) -> None:
    """Refuse a fetcher, probe, contract … of the wrong kind now, and not when it is first needed."""
    wanted = {
        "fetcher": (callable(source.fetcher), "a function"),
        "probe": (source.probe is None or callable(source.probe), "a function, or None for the fetcher itself"),
        "records": (callable(source.records), "a function of the payload that returns its rows"),
        "contract": (isinstance(source.contract, Contract), "a Contract"),
        "classification": (isinstance(source.classification, Classification), "a Classification"),
        "breaker": (isinstance(source.breaker, BreakerPolicy), "a BreakerPolicy"),
        "limits": (source.limits is None or isinstance(source.limits, LimitPolicy), "a LimitPolicy, or None"),
        "host": (source.host is None or _is_name(source.host), "a name, or None"),
        "budget": (source.budget is None or isinstance(source.budget, BudgetPolicy), "a BudgetPolicy, or None"),
        "hedge": (source.hedge is None or isinstance(source.hedge, HedgePolicy), "a HedgePolicy, or None"),
        "chaos": (source.chaos is None or isinstance(source.chaos, ChaosPolicy), "a ChaosPolicy, or None"),
        "cache": (source.cache is None or isinstance(source.cache, CachePolicy), "a CachePolicy, or None for no cache"),
        "upstream": (_is_text(source.upstream), "the name of where it reads, as text"),
        "robots_reason": (_is_text(source.robots_reason), "why robots.txt is not asked, as text"),
        "payload_type": (_is_type(source.payload_type), "the type of its payload, or None"),
    }
    for name, (right, kind) in wanted.items():
        if not right:
            raise ConfigurationError(f"{source.key}.{name} is {told(getattr(source, name))}; give {kind}")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_name(value: object) -> bool:
    return _is_text(value) and bool(value)


def _is_type(value: object) -> bool:
    return value is None or isinstance(value, type) or get_origin(value) is not None


def _words(value: object, name: str) -> tuple[str, ...]:
    """Return a collection of words as a tuple; a bare word would be taken for its letters."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        words = tuple(value)
        if all(isinstance(word, str) for word in words):
            return words
    example = value if isinstance(value, str) else "prices"
    raise ConfigurationError(f"{name} is {told(value)}; give a list of words, as [{example!r}]")


def _check_frequency(value: object, name: str) -> None:
    if isinstance(value, str) and value in UPDATE_INTERVALS:
        return
    accepted = f"give one of {', '.join(UPDATE_INTERVALS)}{did_you_mean(value, UPDATE_INTERVALS)}"
    raise ConfigurationError(f"{name} is {told(value)}; {accepted}")
