"""How fresh everything is, in one sentence: what is not fresh, how old that is, and how long it still counts."""

from collections.abc import Iterable
from datetime import datetime

from data_source_orchestrator.cli.words import age, ago, joined
from data_source_orchestrator.health.freshness import Freshness
from data_source_orchestrator.orchestration.status import SourceStatus, Status

MOST_NAMED = 3
"""Capabilities of one source that are named; the rest is counted."""


def sentence(status: Status) -> str:
    """Return the answer; what is held comes first, for then readers get older data than was read."""
    held = status.gate.held
    fresh = _freshness(status)
    if held is None:
        return fresh
    what = held.sentence.removeprefix("held: ")
    lasts = age(max(0.0, (status.at - held.since).total_seconds()))
    kept = "readers keep what was published before"
    return f"Held for {lasts}: {what}; {kept}. The sources: {fresh[:1].lower()}{fresh[1:]}"


def _freshness(status: Status) -> str:
    if not status.sources:
        return "No source is registered: install a plug-in, or name it in the setting `plugins`"
    if not status.watched:
        return "Every source is disabled: `dso enable KEY` switches one on"
    if all(each.freshness is Freshness.NEVER for each in status.watched):
        return "Nothing is known yet: no source has been read; `dso sync` reads them"
    exceptions = [each for each in status.watched if each.freshness is not Freshness.FRESH or each.flaw]
    if not exceptions:
        return "All fresh"
    told = "; ".join(f"{_named(each, status)}: {_standing(each, status.at)}" for each in exceptions)
    return f"All fresh except {told}" if len(exceptions) < len(status.watched) else f"Nothing is fresh: {told}"


def _named(source: SourceStatus, status: Status) -> str:
    """Name what a source gives, and who it is."""
    gives = [
        each.name for each in status.capabilities if each.published and source.key in {*each.sources, *each.without}
    ]
    return f"{_shortly(gives)} from {source.view.source.title}" if gives else source.view.source.title


def _shortly(words: Iterable[str]) -> str:
    named = list(words)
    if len(named) <= MOST_NAMED:
        return joined(named)
    return joined([*named[: MOST_NAMED - 1], f"{len(named) - MOST_NAMED + 1} more"])


def _standing(source: SourceStatus, now: datetime) -> str:
    checked_at, expires_at = source.view.checked_at, source.expires_at
    if checked_at is None or expires_at is None:
        return "never read"
    if source.freshness is Freshness.EXPIRED:
        return f"expired {ago(expires_at, now)}, and counts no longer"
    if source.freshness is Freshness.FRESH:
        return source.flaw or "fresh"
    left = f"expires in {age((expires_at - now).total_seconds())}"
    flaw = f", and {source.flaw}" if source.flaw else ""
    return f"serving {age((now - checked_at).total_seconds())} old data, {left}{flaw}"
