"""The laws that must hold whenever all that can happen at one moment has happened."""

from collections.abc import Callable
from dataclasses import replace

from data_source_orchestrator.core.outcome import Failure, Skipped, Success
from data_source_orchestrator.core.verdicts import Verdict
from data_source_orchestrator.simulation import inside
from data_source_orchestrator.simulation.laws.limits import grace
from data_source_orchestrator.simulation.upstreams import Call
from data_source_orchestrator.simulation.wall_clock import TICK
from data_source_orchestrator.simulation.witness import Operation, Witness

StepLaw = Callable[[Witness], str | None]


def no_permit_is_leaked(seen: Witness) -> str | None:
    """Tell of a half-open breaker whose probe is nowhere under way: it would stay so for ever."""
    stuck = [key for key in seen.registered() if seen.idle and inside.probe_under_way(seen.coordinator, key)]
    return f"the breaker of {stuck[0]} waits for a probe, and nobody is asking it" if stuck else None


def never_more_probes_than_permitted(seen: Witness) -> str | None:
    """Tell of a second call that finds out whether a source has recovered."""
    for key in seen.registered():
        told = seen.sources[key]
        if told.breaker != "half_open" or told.mixed:
            continue
        probes = [call for call in _holding_a_permit(seen, key) if call.period == told.period]
        if len(probes) > 1:
            return f"{len(probes)} probes of {key} are under way at once, and 1 is permitted"
    return None


def an_open_breaker_lets_nobody_through(seen: Witness) -> str | None:
    """Tell of somebody let through before the cool-down is over."""
    through = [each.source for each in seen.fresh_attempts if each.breaker == "open"]
    return f"an attempt at {through[0]} began while its breaker was open" if through else None


def changes_of_a_breaker_are_told(seen: Witness) -> str | None:
    """Tell of a state that nobody knows who folds the events."""
    for key in seen.registered():
        told, is_now = seen.sources[key], inside.breaker_state(seen.coordinator, key)
        if not told.mixed and told.breaker != is_now:
            return f"the breaker of {key} is {is_now}, and was told to be {told.breaker}"
    return None


def a_budget_stays_within_its_bounds(seen: Witness) -> str | None:
    """Tell of tokens that are owed, or more than the whole."""
    for key in seen.registered():
        held, most = inside.tokens(seen.coordinator, key)
        if not 0 <= held <= most:
            return f"the retry budget of {key} holds {held:g} tokens, and 0 to {most:g} are possible"
    return None


def retries_are_paid_for(seen: Witness) -> str | None:
    """Tell of retries that cost more than the budget held and successes gave back."""
    for key, told in seen.sources.items():
        if not told.mixed and told.spent > told.granted:
            return f"the retries of {key} cost {told.spent:g} tokens, and its budget was given {told.granted:g}"
    return None


def health_is_the_fold_of_its_events(seen: Witness) -> str | None:
    """Tell of health that nobody can rebuild who stores the events; checks stand apart."""
    for key in seen.registered():
        live = replace(seen.coordinator.get_health(key), last_check=None)
        if live != seen.sources[key].health:
            return f"the health of {key} is {_short(live)}, and its events make {_short(seen.sources[key].health)}"
    return None


def whatever_was_withheld_is_counted(seen: Witness) -> str | None:
    """Tell of an execution of which nobody hears any longer whose fault it was."""
    lost = [key for key, told in seen.sources.items() if seen.idle and told.unreached]
    return f"an execution of {lost[0]} is still withheld, and nobody is asking" if lost else None


def a_source_is_asked_once_at_a_time(seen: Witness) -> str | None:
    """Tell of two executions of a source at one moment, which should be shared; one refresh may be beside it."""
    for key in seen.registered():
        fetcher = getattr(seen.coordinator.get_source(key), "fetcher", None)
        calls = [call for call in _fetching(seen, key) if call.upstream is fetcher]
        first = {id(call.execution): seen.first_of(call) for call in calls}
        flights = [call for call in first.values() if not inside.is_refresh(call.task)]
        if len(flights) > 1 and not _one_looked_at_what_is_kept(seen, flights):
            return f"{len(flights)} executions of {key} are under way at once, and overlapping runs share one"
        refreshes = len(first) - len(flights)
        if refreshes > 1 and not seen.settings.changed(key):  # what is kept anew knows no refresh of before
            return f"{refreshes} refreshes of {key} are under way at once, and one is enough"
    return None


def every_attempt_ends(seen: Witness) -> str | None:
    """Tell of a beginning that no end has followed."""
    for key, told in seen.sources.items():
        if told.attempts < 0 or (seen.idle and told.attempts):
            return f"{key}: {abs(told.attempts)} attempts {'ended unbegun' if told.attempts < 0 else 'never ended'}"
    return None


def every_run_is_counted(seen: Witness) -> str | None:
    """Tell of a run that has not ended, does not add up, or is not in the metrics."""
    for run in seen.fresh_runs:
        asked, told = len(seen.begun[run.run_id]), run.success_count + run.failure_count + run.skipped_count
        if asked != told:
            return f"a run asked {asked} sources and counted {told}: success, failure and skipped do not add up"
    if not seen.idle:
        return None
    if len(seen.begun) != len(seen.finished):
        return f"{len(seen.begun)} runs began, and {len(seen.finished)} ended"
    counted = seen.orchestrator.get_metrics().total_executions
    return None if counted == len(seen.finished) else f"{len(seen.finished)} runs ended, and {counted} were counted"


def an_execution_keeps_its_time(seen: Witness) -> str | None:
    """Tell of attempts and waits beyond the source's timeout, and the grace of a fetcher that will not end."""
    for ended in seen.fresh_executions:
        outcome = ended.executed.outcome
        began = ended.at - outcome.duration
        limit = seen.longest_timeout(outcome.source, ended.planned) + grace(seen, began, outcome.source)
        if outcome.duration > limit + TICK:
            return f"{outcome.source} took {outcome.duration:.3f} s, and {limit:g} s were allowed"
    return None


def a_verdict_fits_its_outcome(seen: Witness) -> str | None:
    """Tell of a success that does not count as one, or of a refusal of ours that says something."""
    for executed in (each.executed for each in seen.fresh_executions):
        match executed.outcome:
            case Success(age=None) if executed.verdict is not Verdict.SUCCESS:
                return f"a success of {executed.outcome.source} was judged {executed.verdict}"
            case Success(age=age) if age is not None and executed.verdict is not Verdict.RELEASED:
                return f"{executed.outcome.source} was served from what is kept, and that was judged {executed.verdict}"
            case Failure() if executed.verdict is Verdict.SUCCESS:
                return f"a failure of {executed.outcome.source} was judged a success"
            case Skipped() if executed.verdict is not Verdict.RELEASED:
                return f"{executed.outcome.source} was skipped, and that was judged {executed.verdict}"
            case _:
                pass
    return None


def the_event_loop_has_nothing_to_complain_of(seen: Witness) -> str | None:
    """Tell of an exception that was left for nobody."""
    return f"the event loop complained: {seen.complaints[0]}" if seen.complaints else None


def nothing_is_alive_while_nobody_asks(seen: Witness) -> str | None:
    """Tell of a task, timer or fetcher that is left; one that swallows its cancellation is excused until it ends."""
    if not seen.idle:
        return None
    lingering = [call for call in seen.under_way() if call.lingers]
    working = [call for call in seen.under_way() if not call.lingers]
    timers = seen.loop.timers() - len(lingering) - 1  # the play's own wait for what is done next
    if strays := seen.strays():
        return f"tasks are left while nobody asks: {', '.join(strays)}"
    if timers > 0:
        return f"{timers} timers are left while nobody asks"
    return f"a fetcher of {working[0].source} goes on while nobody asks" if working else None


STEP_LAWS: tuple[StepLaw, ...] = (
    no_permit_is_leaked,
    never_more_probes_than_permitted,
    an_open_breaker_lets_nobody_through,
    changes_of_a_breaker_are_told,
    a_budget_stays_within_its_bounds,
    retries_are_paid_for,
    health_is_the_fold_of_its_events,
    whatever_was_withheld_is_counted,
    a_source_is_asked_once_at_a_time,
    every_attempt_ends,
    every_run_is_counted,
    an_execution_keeps_its_time,
    a_verdict_fits_its_outcome,
    the_event_loop_has_nothing_to_complain_of,
    nothing_is_alive_while_nobody_asks,
)
"""They must hold whenever all that can happen at one moment has happened."""


def _fetching(seen: Witness, key: str) -> list[Call]:
    """Return the calls of a source's fetcher that are under way and were not told to end."""
    return [call for call in seen.under_way() if call.source == key and not call.check and not call.lingers]


def _one_looked_at_what_is_kept(seen: Witness, first: list[Call]) -> bool:
    """Return whether a sync, which asks at once, may have come while a fetch was looking whether it has to ask."""
    if len(first) > 2 or not seen.settings.cached(first[0].source):  # noqa: PLR2004 — the sync and the fetch
        return False
    asked_by = [call.asked_by for call in first]
    syncs = sum(isinstance(asking, Operation) and asking.action.verb == "sync" for asking in asked_by)
    return syncs == 1 and _may_have_been_wanted_together(seen, *first)


def _may_have_been_wanted_together(seen: Witness, one: Call, other: Call) -> bool:
    """Return whether two askings may have come to a source at one moment; of those in turn only their calls tell."""
    askings = [call.asked_by.began for call in (one, other) if isinstance(call.asked_by, Operation)]
    stood_in_line = bool(seen.scopes.passed_by(one.source)) and not seen.world.parallel
    return stood_in_line or abs(one.began - other.began) <= TICK or max(askings) - min(askings) <= TICK


def _holding_a_permit(seen: Witness, key: str) -> list[Call]:
    """Return the calls of a source's fetcher that are waited for: one told to end is, until its grace is over."""
    calls = [call for call in seen.under_way() if call.source == key and not call.check]
    since = seen.now - inside.GRACE + TICK
    return [call for call in calls if call.cancelled_at is None or call.cancelled_at > since]


def _short(health: object) -> str:
    return f"{str(health)[:200]}…"
