"""What happened, as past-tense records; sinks translate them, nothing rebuilds results from them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from data_source_orchestrator.core.outcome import Executed
from data_source_orchestrator.core.policies import Purpose
from data_source_orchestrator.core.traffic import WireRequest
from data_source_orchestrator.core.verdicts import FailureKind, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at a moment (aware UTC)."""

    at: datetime

    @property
    def type(self) -> str:
        """The event's name in JSON: snake_case, as `source_finished`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", self.__class__.__name__).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """A run over these sources has begun; those that are disabled are passed over."""

    run_id: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted(Event):
    """A fetcher was called; `attempt` counts from 1."""

    source: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFinished(Event):
    """A fetcher's call ended; `kind` only where it failed."""

    source: str
    attempt: int
    verdict: Verdict
    duration: float
    kind: FailureKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesReceived(Event):
    """A response body grew to `total` bytes in this attempt."""

    source: str
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFinished(Event):
    """A request of this source's fetcher has ended: its answer was read or left, or there was none."""

    source: str
    request: WireRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryScheduled(Event):
    """Attempt number `attempt` follows after `delay` seconds."""

    source: str
    attempt: int
    delay: float
    kind: FailureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDelayed(Event):
    """A call waited `seconds` for the limits of its source, its host or all, and was let through."""

    source: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRefused(Event):
    """An extra call was refused, because a source's budget is spent, or the run's where no source is named."""

    source: str | None
    purpose: Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHedged(Event):
    """A second call joined one that had lasted `after` seconds, or had failed by then."""

    source: str
    after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosInjected(Event):
    """A call was made to go wrong on purpose; `what` is fault, latency, outcome or behaviour."""

    source: str
    call: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FetcherAbandoned(Event):
    """A fetcher went on after its cancellation, and nobody waits for it any longer."""

    source: str
    after: float
    thread: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopBlocked(Event):
    """A fetcher held up the event loop, and everybody on it, for `seconds`."""

    source: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerChanged(Event):
    """A source's breaker moved from one state to another; `retry_after` seconds until it lets a probe through."""

    source: str
    before: str
    after: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthChanged(Event):
    """A source's health moved from one status to another."""

    source: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshnessChanged(Event):
    """A source's freshness was found to be another than at the run before: fresh, late, stale, expired or never."""

    source: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFinished(Event):
    """One execution of a source has ended, at `at`, and is counted; shared by every run that waited for it."""

    executed: Executed[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceUnreached(Event):
    """One execution of a source has ended, and nobody in its run has answered yet: it may be our own network.

    `SourceFinished` follows when that is known, at the latest with the end of the run.
    """

    executed: Executed[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorOffline(Event):
    """Our own network was down: nobody answered, and what these sources failed with is not held against them."""

    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceChecked(Event):
    """A health check of a source has ended; `ok` where it got a good answer."""

    source: str
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRegistered(Event):
    """A source was added to the registry."""

    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceForgotten(Event):
    """Everything known of a source's past was let go: it was unregistered, or reset."""

    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineForgotten(Event):
    """The operator accepted that a source has shrunk: its next payload is compared with none before it."""

    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSwitched(Event):
    """The operator changed a source's switch or priority, or let it through its breaker; None is unchanged."""

    source: str
    enabled: bool | None = None
    priority: int | None = None
    readmitted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftDetected(Event):
    """A document of a source is not made as it used to be; `changes` are sentences, each told once while it lasts."""

    source: str
    document: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotPublished(Event):
    """A snapshot was stored; its id is the hash of its entities and values."""

    snapshot_id: str
    entities: int
    new: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotHeld(Event):
    """A snapshot was stored and not published, because it has lost too much; told once for each such snapshot.

    `sentence` says what is missing, how many and from whom; the id is None where nothing would be left.
    """

    snapshot_id: str | None
    entities: int
    gone: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """A run has ended, whether complete or cut short."""

    run_id: str
    duration: float
    success_count: int
    failure_count: int
    skipped_count: int
    sufficient: bool


Emit = Callable[[Event], None]
"""Hands an event to whoever listens; never raises, never waits."""


class Events(Protocol):
    """Where events go; one that nobody hears need not be made."""

    def emit(self, event: Event) -> None:
        """Hand an event to whoever hears its kind; never raises, never waits."""
        ...

    def hears(self, kind: type[Event]) -> bool:
        """Return whether anybody hears events of this kind."""
        ...


class Unheard:
    """Events that go nowhere."""

    def emit(self, event: Event) -> None:
        """Let the event go."""

    def hears(self, kind: type[Event]) -> bool:  # noqa: ARG002 — whatever it is
        """Return False."""
        return False
