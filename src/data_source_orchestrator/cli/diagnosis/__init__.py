"""The seed's troubleshooting list, each line answered from facts: what was found, and what to type next.

Pure: whoever asks has probed the sources before, and hands in what is known.
"""

from collections.abc import Callable
from dataclasses import dataclass

from data_source_orchestrator.cli.diagnosis import all_failing, kept, often_failing, slow
from data_source_orchestrator.cli.diagnosis.facts import Facts, Finding

__all__ = ["CHECKLIST", "Check", "Facts", "Finding", "Section"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the list, and what answers it."""

    title: str
    look: Callable[[Facts], Finding]


@dataclass(frozen=True, slots=True)
class Section:
    """What somebody complains of, and where to look then."""

    complaint: str
    checks: tuple[Check, ...]


CHECKLIST = (
    Section("Nothing kept", (Check("Store", kept.store),)),
    Section(
        "All sources failing",
        (
            Check("Network connectivity", all_failing.connectivity),
            Check("Environment variables", all_failing.variables),
            Check("Sources enabled", all_failing.switches),
            Check("Timeout settings", all_failing.timeouts),
        ),
    ),
    Section(
        "Slow performance",
        (
            Check("Parallel execution", slow.parallel),
            Check("Source timeouts", slow.long_timeouts),
            Check("Unreliable sources", slow.unreliable),
            Check("High latency", slow.latency),
        ),
    ),
    Section(
        "High failure rate",
        (
            Check("Source health", often_failing.health),
            Check("Retry count", often_failing.retries),
            Check("Timeout values", often_failing.timeouts),
            Check("What the sources serve", often_failing.scrapers),
            Check("How that is made", often_failing.drift),
        ),
    ),
)
"""In the order of the list, behind what everything else that is told rests on."""
