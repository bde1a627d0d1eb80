"""The laws of hedging: one extra call at most, no sooner than it may, and a loser that says nothing."""

from collections.abc import Callable, Iterator

from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.policies import HedgePolicy
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.simulation.extras_seen import AttemptEnded
from data_source_orchestrator.simulation.upstreams import Call
from data_source_orchestrator.simulation.wall_clock import TICK
from data_source_orchestrator.simulation.witness import Witness

CHECKED = {Verdict.SUCCESS, Verdict.FAILURE}
"""The verdicts that say something about a source."""


def at_most_one_extra_call_at_a_time(seen: Witness) -> str | None:
    """Tell of a third call beside two of its execution, or of a second one where nothing is hedged."""
    for call in seen.fresh_calls:
        most = 2 if any(source.hedge for source in _sources(seen, call)) else 1
        beside = len(_siblings(call)) + 1
        if beside > most:
            return f"{beside} calls of one execution of {call.source} are under way at once, and {most} may be"
    return None


def a_hedge_waits_for_its_delay(seen: Witness) -> str | None:
    """Tell of a second call that came sooner after the first than a fixed delay says."""
    for call in seen.fresh_calls:
        delays = {_delay(source.hedge) for source in _sources(seen, call)}
        least = None if None in delays else min(each for each in delays if each is not None)
        for first in _siblings(call):
            if least is not None and call.began < first.began + least - TICK:
                waited = call.began - first.began
                return f"a call of {call.source} was hedged after {waited:.3f} s, and not after {least:g} s"
    return None


def a_loser_says_nothing(seen: Witness) -> str | None:
    """Tell of a call that was given up for another one's answer, and was judged all the same."""
    for ended in seen.extras.attempts:
        calls, verdict = list(_calls_of(seen, ended)), ended.event.verdict
        if calls and verdict in CHECKED and all(_lost(seen, each) and not _out_of_time(seen, each) for each in calls):
            lost = f"lost to another at {calls[0].cancelled_at:.3f} s"
            return f"a call of {ended.event.source} {lost}, and was judged a {verdict}"
    return None


def only_a_loser_is_censored(seen: Witness) -> str | None:
    """Tell of a call that counts for nothing although none of its execution has ended when it did."""
    for ended in seen.extras.attempts:
        if ended.event.verdict is Verdict.CENSORED and not any(
            _censored(seen, call) for call in _calls_of(seen, ended)
        ):
            return f"attempt {ended.event.attempt} of {ended.event.source} was censored, and lost to none"
    return None


def health_counts_no_more_than_was_executed(seen: Witness) -> str | None:
    """Tell of executions that are counted and never were, as a loser or an answer that was kept would be."""
    for key in seen.registered():
        tally = seen.extras.of_sources.get(key)
        counted, made = seen.coordinator.get_source_stats(key).executions, len(tally.executions) if tally else 0
        if counted > made:
            return f"{counted} executions of {key} are counted, and its upstream saw {made}"
    return None


HEDGE_LAWS: tuple[Callable[[Witness], str | None], ...] = (
    at_most_one_extra_call_at_a_time,
    a_hedge_waits_for_its_delay,
    a_loser_says_nothing,
    only_a_loser_is_censored,
    health_counts_no_more_than_was_executed,
)
"""They must hold whenever all that can happen at one moment has happened."""


def _siblings(call: Call) -> list[Call]:
    """Return the calls of the same execution that were under way, and not told to end, when this one began."""
    return [
        other
        for other in call.beside
        if other.execution is call.execution and (other.cancelled_at is None or other.cancelled_at > call.began)
    ]


def _sources(seen: Witness, call: Call) -> list[Source[object]]:
    """Return its source with all settings that may have been in force when it was planned."""
    since = getattr(call.asked_by, "began", call.began)
    return [setting.source for setting in seen.settings.between(call.source, since, call.began)]


def _delay(policy: HedgePolicy | None) -> float | None:
    return None if policy is None else policy.fixed


def _calls_of(seen: Witness, ended: AttemptEnded) -> Iterator[Call]:
    """Yield the calls that may have been an attempt that has ended."""
    event = ended.event
    for call in seen.calls:
        began = abs(call.began + event.duration - ended.at) <= TICK
        if began and call.source == event.source and call.attempt == event.attempt and not call.check:
            yield call


def _outrun(seen: Witness, call: Call, since: float | None, until: float) -> bool:
    """Return whether another call of its execution ended by itself in that time."""
    return since is not None and any(
        other is not call
        and other.execution is call.execution
        and other.ended is not None
        and other.spoke
        and since - TICK <= other.ended <= until + TICK
        for other in seen.calls
    )


def _lost(seen: Witness, call: Call) -> bool:
    """Return whether it was told to end for another one's answer."""
    return call.cancelled_at is not None and _outrun(seen, call, call.cancelled_at, call.cancelled_at)


def _censored(seen: Witness, call: Call) -> bool:
    """Return whether it may be censored: one that was out of time, and takes long to end, may lose meanwhile."""
    return _outrun(seen, call, call.ended if call.cancelled_at is None else call.cancelled_at, seen.now)


def _out_of_time(seen: Witness, call: Call) -> bool:
    """Return whether its own time was up when it was told to end."""
    limits = [source.attempt_timeout for source in _sources(seen, call) if source.attempt_timeout is not None]
    at = call.cancelled_at or 0.0
    ends = [call.began + in_seconds(limit) for limit in limits] + [getattr(call.execution, "at", at)]
    return any(end <= at + TICK for end in ends)
