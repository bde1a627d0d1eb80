"""Common cause: when every source of a run fails at once with a broken connection, it is our own network that is down.

After Envoy, whose outlier detection never ejects more than a part of the hosts and whose panic mode distrusts its own
view when nearly all look ill. It must not know of breakers or health: it only says what a run's executions say.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeGuard

from msgspec.structs import replace

from data_source_orchestrator.core.outcome import Executed, Failure, Outcome, Skipped, Success
from data_source_orchestrator.core.verdicts import FailureKind, Verdict

LEAST_SOURCES = 2
"""One source that fails alone tells about itself."""

UNREACHED = frozenset({FailureKind.CONNECTION, FailureKind.TIMEOUT})
"""Failures in which nobody answered."""

SILENT = frozenset({FailureKind.BUG, FailureKind.UNKNOWN})
"""Failures that do not tell whether anybody answered; every other kind is an answer, so the network works."""


def offline(outcomes: Iterable[Outcome[Any]]) -> tuple[str, ...]:
    """Return the sources whose failures say nothing about them because the monitor itself is offline, or none.

    Nobody answered, not even with an error; at least two were not reached; and at least half of those broke off the
    connection, where the rest timed out. Timeouts alone are as well explained by slow sources. What was skipped, a bug
    and an unknown error tell nothing either way.
    """
    unreached: list[Failure] = []
    for outcome in outcomes:
        if answered(outcome):
            return ()
        if not_reached(outcome):
            unreached.append(outcome)
    sources = tuple(dict.fromkeys(failure.source for failure in unreached))
    broken = sum(failure.kind is FailureKind.CONNECTION for failure in unreached)
    return sources if len(sources) >= LEAST_SOURCES and 2 * broken >= len(unreached) else ()


def answered(outcome: Outcome[Any]) -> bool:
    """Return whether somebody out there answered, be it with an error."""
    match outcome:
        case Success():
            return True
        case Failure(kind=kind):
            return kind not in UNREACHED | SILENT
        case Skipped():
            return False


def not_reached(outcome: Outcome[Any]) -> TypeGuard[Failure]:
    """Return whether nobody answered in time."""
    return isinstance(outcome, Failure) and outcome.kind in UNREACHED


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Executions that may be recorded now; `offline` names those that are excused, none while somebody answered."""

    executions: tuple[Executed[Any], ...] = ()
    offline: tuple[str, ...] = ()


class Suspects:
    """Holds back a run's unreached sources until somebody has answered, or the run is over.

    While nothing was heard from anyone, each of their failures may be ours. The first answer clears us, and they are
    recorded as they were; where none came, `close` excuses them together.
    """

    def __init__(self) -> None:
        self._held: list[Executed[Any]] = []
        self._settled = False

    def ended(self, executed: Executed[Any]) -> tuple[Executed[Any], ...]:
        """Take in how an execution ended, and return what may be recorded now, oldest first."""
        if not self._settled and not_reached(executed.outcome):
            self._held.append(executed)
            return ()
        if not answered(executed.outcome):
            return (executed,)
        return (*self._settle(), executed)

    def close(self) -> Judged:
        """Return what is still held, excused where the monitor was offline; what ends later is not held."""
        held = self._settle()
        excused = offline(executed.outcome for executed in held)
        return Judged(executions=tuple(excuse(each) if excused else each for each in held), offline=excused)

    def _settle(self) -> list[Executed[Any]]:
        self._settled = True
        held, self._held = self._held, []
        return held


def excuse(executed: Executed[Any]) -> Executed[Any]:
    """Return the execution as one that says nothing about its source: no failure, and no uptime either."""
    return replace(executed, verdict=Verdict.RELEASED)
