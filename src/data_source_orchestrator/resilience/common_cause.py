"""Common cause: when every source of a run fails at once with a broken connection, it is our own network that is down.

After Envoy, whose outlier detection never ejects more than a part of the hosts and whose panic mode distrusts its own
view when nearly all look ill. It only says what failures mean together; it must not know who hears of them.
"""

from collections.abc import Mapping
from typing import Any, TypeGuard

from data_source_orchestrator.core.outcome import Executed, Failure, Outcome
from data_source_orchestrator.core.verdicts import FailureKind, Verdict

LEAST_SOURCES = 2
"""One source that fails alone tells about itself."""

UNREACHED = frozenset({FailureKind.CONNECTION, FailureKind.TIMEOUT})
"""Failures in which nobody answered."""

SILENT = frozenset({FailureKind.BUG, FailureKind.UNKNOWN})
"""Failures that do not tell whether anybody answered; every other kind is an answer, so the network works."""


def offline(unreached: Mapping[str, FailureKind]) -> tuple[str, ...]:
    """Return the sources whose failures say nothing about them because the monitor itself is offline, or none.

    Given is how each source was not reached, where nobody at all has answered. At least two of them, and at least half
    of those broke off the connection, where the rest timed out: timeouts alone are as well explained by slow sources.
    """
    broken = sum(kind is FailureKind.CONNECTION for kind in unreached.values())
    return tuple(unreached) if len(unreached) >= LEAST_SOURCES and 2 * broken >= len(unreached) else ()


def is_answer(kind: FailureKind) -> bool:
    """Return whether a failure of this kind is an error that somebody out there has sent."""
    return kind not in UNREACHED and kind not in SILENT


def not_reached(outcome: Outcome[Any]) -> TypeGuard[Failure]:
    """Return whether nobody answered in time."""
    return isinstance(outcome, Failure) and outcome.kind in UNREACHED


def excuse(executed: Executed[Any]) -> Executed[Any]:
    """Return the execution as one that says nothing about its source: no failure, and no uptime either."""
    return Executed(outcome=executed.outcome, verdict=Verdict.RELEASED, probe=executed.probe, offline=True)
