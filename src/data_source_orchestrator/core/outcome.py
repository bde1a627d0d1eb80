"""How one source's part in a run ended: exactly one of three records.

Records of msgspec, because every call makes two of them: a frozen dataclass takes ten times as long to make.
"""

from typing import Any, Generic, TypeVar

from msgspec import Struct

from data_source_orchestrator.core.age import Age, span
from data_source_orchestrator.core.contract.baseline import Tally
from data_source_orchestrator.core.served import Served
from data_source_orchestrator.core.shown import Shown
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason, Verdict

T_co = TypeVar("T_co", covariant=True)


class Success(Struct, Generic[T_co], frozen=True, kw_only=True):
    """The source answered, and its answer was accepted.

    `duration` is the whole execution in seconds, waits included; `latency` the successful attempt alone, None where
    upstream only confirmed what was kept, which tells little of how long an answer takes. `age` is set where no
    execution was made, and the data is an earlier answer that was kept. `set_aside` are the places, from 0, of those of
    its rows that its contract does not believe: they are not merged. `tally` is what it adds to the baseline. `shown`
    are the documents that its fetcher showed, until they are looked at.
    """

    source: str
    data: T_co
    attempts: int
    duration: float
    latency: float | None
    warnings: tuple[str, ...] = ()
    age: Age | None = None
    set_aside: frozenset[int] = frozenset()
    tally: Tally | None = None
    shown: tuple[Shown, ...] = ()

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return what is told of it, by rich as well: all but the data and the documents, which may be large."""
        hidden = {"data", "tally", "shown"} | (set() if self.set_aside else {"set_aside"})
        return [(name, getattr(self, name)) for name in self.__struct_fields__ if name not in hidden]

    def __repr__(self) -> str:
        return f"Success({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __str__(self) -> str:
        if self.age is not None:
            return f"{self.source}: success from the cache, {self.age}"
        return f"{self.source}: success {_effort(self.attempts, self.duration)}"


class Failure(Struct, frozen=True, kw_only=True):
    """The source was asked and gave no acceptable answer.

    `error` is what the last attempt raised, or an error that tells what was wrong. `stale_data` is older data,
    only where the source may serve it, and `age` how old that is and why it is served. `served` are the answers that a
    failure of kind content was made of, as far as they are known; `shown` is as in a success.
    """

    source: str
    kind: FailureKind
    error: BaseException
    attempts: int
    duration: float
    stale_data: object | None = None
    warnings: tuple[str, ...] = ()
    age: Age | None = None
    served: tuple[Served, ...] = ()
    shown: tuple[Shown, ...] = ()

    @property
    def message(self) -> str:
        """The error as one line for people, never empty."""
        text = " ".join(str(self.error).split())
        return text or type(self.error).__name__

    def __str__(self) -> str:
        effort = _effort(self.attempts, self.duration)
        return f"{self.source}: {self.kind} failure {effort}: {self.message}{_beside(self.age)}"


class Skipped(Struct, frozen=True, kw_only=True):
    """The source was not asked, or not to the end, by our own decision; it says nothing about the source.

    `stale_data` and `age` are as in a failure: a breaker that is open does not take older data away.
    """

    source: str
    reason: SkipReason
    detail: str = ""
    attempts: int = 0
    duration: float = 0.0
    stale_data: object | None = None
    warnings: tuple[str, ...] = ()
    age: Age | None = None

    def __str__(self) -> str:
        return f"{self.source}: skipped, {self.detail or self.reason}{_beside(self.age)}"


Outcome = Success[T_co] | Failure | Skipped


class CutShort(Struct, frozen=True, kw_only=True):
    """The run's limit ended an execution after so many seconds, before the source's own `timeout` was up."""

    after: float
    timeout: float


class Executed(Struct, Generic[T_co], kw_only=True):
    """An outcome together with what it says about its source.

    `probe` marks the single attempt that a half-open breaker lets through. `cut_short` tells why a timeout says nothing
    about its source, and `offline` that its failure does not, because it was our own network that was down.
    """

    outcome: "Success[T_co] | Failure | Skipped"
    verdict: Verdict
    probe: bool = False
    cut_short: CutShort | None = None
    offline: bool = False


def _beside(age: Age | None) -> str:
    return f"; data {span(age.seconds)} old is served beside it" if age else ""


def _effort(attempts: int, duration: float) -> str:
    return f"after {attempts} attempt{'' if attempts == 1 else 's'} in {duration:.2f} s"
