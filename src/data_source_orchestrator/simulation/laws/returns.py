"""The laws that must hold in the very moment in which a call returns."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.core.outcome import Failure, Outcome, Skipped, Success
from data_source_orchestrator.core.verdicts import FailureKind, SkipReason
from data_source_orchestrator.health.document import from_json
from data_source_orchestrator.resilience.common_cause import LEAST_SOURCES, UNREACHED, is_answer
from data_source_orchestrator.simulation import inside
from data_source_orchestrator.simulation.laws import caching
from data_source_orchestrator.simulation.laws.limits import grace, keeping
from data_source_orchestrator.simulation.upstreams import Call
from data_source_orchestrator.simulation.wall_clock import TICK
from data_source_orchestrator.simulation.witness import Operation, Witness

ReturnLaw = Callable[[Witness, Operation], str | None]

KINDS = {
    "raise": FailureKind.CONNECTION,
    "offline": FailureKind.CONNECTION,
    "none": FailureKind.EMPTY,
    "breach": FailureKind.CONTENT,
    "base": FailureKind.BUG,
    "cancelled": FailureKind.BUG,
}
"""The failure kind that each thing an upstream does must be told as; `fail` names its own, and all else is too slow."""


def nothing_outlives_the_call(seen: Witness, returned: Operation) -> str | None:
    """Tell of what only this call had wanted, and goes on after its return."""
    strays = [] if len(seen.active) > 1 or seen.refreshing else seen.strays()
    return f"{returned} returned, and left {', '.join(strays)}" if strays else None


def every_source_asked_has_an_outcome_of_its_own(_: Witness, returned: Operation) -> str | None:
    """Tell of a source that is lost, comes twice, or is told as interrupted in a run that was not."""
    if returned.error is not None or returned.action.verb == "check" or returned.action.take is not None:
        return None
    told = sorted(outcome.source for outcome in returned.outcomes)
    if told != sorted(returned.asked):
        return f"{returned} asked {', '.join(sorted(returned.asked))} and told of {', '.join(told) or 'none'}"
    lost = [each.source for each in returned.outcomes if _skip(each) is SkipReason.CANCELLED]
    return f"{returned} was not interrupted, and told {lost[0]} as cancelled" if lost else None


def an_outcome_is_what_the_upstream_did(seen: Witness, returned: Operation) -> str | None:
    """Tell of data that is not the source's own, or of a failure that none of its calls was."""
    for outcome in returned.outcomes:
        match outcome:
            case Success(source=key, data=(str(owner), int(number))):
                if owner != key or not seen.calls[number].answered or seen.calls[number].check:
                    return f"{returned} gave {owner}'s call {number} as the data of {key}"
            case Success(source=key):
                return f"{returned} gave {outcome.data!r} as the data of {key}, which answered no such thing"
            case Failure(source=key, kind=kind) if kind not in _kinds(seen, key, _begun(returned, outcome)):
                return f"{returned} told {key} as {kind}, which none of its calls was"
            case _:
                pass
    return None


def attempts_are_counted_and_bounded(seen: Witness, returned: Operation) -> str | None:
    """Tell of a source with no attempt, or with more than one and its retries; a hedge doubles each."""
    for outcome in returned.outcomes:
        most = (seen.sources[outcome.source].most_retries + 1) * (2 if seen.settings.hedged(outcome.source) else 1)
        served = isinstance(outcome, Success) and outcome.age is not None
        least = 0 if served or isinstance(outcome, Skipped) else 1
        if not least <= outcome.attempts <= most:
            return (
                f"{returned} made {outcome.attempts} attempts at {outcome.source}, and {least} to {most} are possible"
            )
    return None


def disabled_means_not_asked(_: Witness, returned: Operation) -> str | None:
    """Tell of a source that was asked although the operator had switched it off."""
    for outcome in returned.outcomes:
        if not returned.asked.get(outcome.source, True) and _skip(outcome) is not SkipReason.DISABLED:
            return f"{returned} asked {outcome.source}, which was disabled"
    return None


def a_call_keeps_its_time(seen: Witness, returned: Operation) -> str | None:
    """Tell of a run's limit that is overrun by more than one grace."""
    took = seen.now - returned.began
    limit = seen.world.timeout + grace(seen, returned.began) + keeping(seen)
    return f"{returned} took {took:.3f} s, and {limit:g} s were allowed" if took > limit + TICK else None


def cancellation_passes(seen: Witness, returned: Operation) -> str | None:
    """Tell of a cancelled call that ends otherwise, or late, and of a cancellation that nobody asked for."""
    cancelled = isinstance(returned.error, asyncio.CancelledError)
    if returned.cancelled_at is None:
        return f"{returned} raised a cancellation that nobody asked for" if cancelled else None
    if not cancelled and not isinstance(returned.error, SystemExit):
        return f"{returned} was cancelled, and went on to {returned.error or 'return'}"
    took, limit = seen.now - returned.cancelled_at, grace(seen, returned.began) + keeping(seen)
    return (
        f"{returned} took {took:.3f} s to be cancelled, and {limit:g} s were allowed" if took > limit + TICK else None
    )


def what_is_stored_is_what_is_known(seen: Witness, returned: Operation) -> str | None:
    """Tell of a store that holds another past of a source than is known, once a call has kept it, refreshes apart."""
    nobody_asked = returned.action.sources and not returned.asked
    if seen.store is None or seen.world.store_fails or nobody_asked or len(seen.active) > 1:
        return None
    stored = seen.store.held.documents("health")
    for key in seen.registered():
        live, kept = seen.coordinator.get_health(key), from_json(stored.get(key))
        if live != kept and seen.sources[key].acted_at < returned.began and not seen.settings.refreshed(key):
            return f"{returned} left {kept} of {key} in the store, and {live} is known"[:400]
    return None


def our_own_network_is_held_against_nobody(seen: Witness, returned: Operation) -> str | None:
    """Tell of a run alone that nobody answered, where connections broke off, and that blames a source for it."""
    unreached = _unreached_together(seen, returned)
    for outcome in unreached:
        told = seen.sources[outcome.source]
        if told.last is None or told.last.outcome is not outcome or not told.last.offline:
            return f"nobody answered {returned}, and it is held against {outcome.source}"
        if told.tripped_at >= returned.began:
            return f"nobody answered {returned}, and the breaker of {outcome.source} opened"
    told_of = [sources for at, sources in seen.offline if at >= returned.began]
    if unreached and [sorted(sources) for sources in told_of] != [sorted(each.source for each in unreached)]:
        return f"nobody answered {returned}, and it was told that we were offline {len(told_of)} times: {told_of}"
    return None


def whoever_answers_proves_that_we_are_online(_: Witness, returned: Operation) -> str | None:
    """Tell of a run that excuses its failures as our own, although somebody has answered it."""
    excused = returned.metadata.offline if returned.metadata else ()
    answered = [outcome.source for outcome in returned.outcomes if _answers(outcome)]
    return f"{returned} was answered by {answered[0]}, and told as offline" if excused and answered else None


def nothing_else_is_raised(seen: Witness, returned: Operation) -> str | None:
    """Tell of what is raised beside cancellation and a fetcher's wish to end the program."""
    match returned.error:
        case None | asyncio.CancelledError():
            return None
        case StoreError() if seen.world.store_fails:
            return None
        case SystemExit() if any(call.does == "exit" for call in seen.calls):
            return None
        case error:
            return f"{returned} raised {error!r}"


RETURN_LAWS: tuple[ReturnLaw, ...] = (
    nothing_outlives_the_call,
    every_source_asked_has_an_outcome_of_its_own,
    an_outcome_is_what_the_upstream_did,
    attempts_are_counted_and_bounded,
    disabled_means_not_asked,
    a_call_keeps_its_time,
    cancellation_passes,
    what_is_stored_is_what_is_known,
    our_own_network_is_held_against_nobody,
    whoever_answers_proves_that_we_are_online,
    nothing_else_is_raised,
    caching.older_data_stands_beside_a_failure,
)
"""They must hold in the very moment in which a call returns."""


def _kinds(seen: Witness, key: str, since: float) -> Iterator[FailureKind]:
    """Yield every kind of failure that a source may be told as by whoever asked at that moment.

    It is that of a call which was under way then or later, or of the last one before: what is joined may rest between
    two attempts, and come to no other.
    """
    yield FailureKind.TIMEOUT
    calls = [call for call in seen.calls if call.source == key]
    before = [call for call in calls if call.ended is not None and call.ended < since]
    for call in calls:
        if call.ended is None or call.ended >= since or call is before[-1]:
            yield KINDS.get(call.does, FailureKind(call.kind))


def _begun(returned: Operation, outcome: Outcome[Any]) -> float:
    """Return since when calls may have made an outcome: its execution may have been under way before it was wanted."""
    return returned.began - outcome.duration


def _was_refreshed_since(seen: Witness, key: str, began: float) -> bool:
    """Return whether a refresh for somebody before has ended since then: what it finds is judged with its own like."""
    calls = (call for call in seen.calls if call.source == key and not call.check and inside.is_refresh(call.task))
    return any(call.ended is None or call.ended >= began for call in calls)


def _unreached_together(seen: Witness, returned: Operation) -> list[Failure]:
    """Return the failures of a run that are our own beyond doubt, none where anything else may have had a say."""
    others = [each for each in seen.operations if each is not returned]
    failures = [outcome for outcome in returned.outcomes if isinstance(outcome, Failure)]
    left_in_line = seen.world.parallel and any(_skip(each) is SkipReason.FAIL_FAST for each in returned.outcomes)
    unasked = [outcome for outcome in returned.outcomes if isinstance(outcome, Skipped) and not outcome.attempts]
    broken = sum(failure.kind is FailureKind.CONNECTION for failure in failures)
    if (
        returned.error is not None
        or returned.action.take is not None
        or left_in_line  # its turn might have come, and it might have been answered
        or any(each.ended is None or each.ended >= returned.began for each in others)
        or any(
            seen.sources[key].acted_at >= returned.began or _was_refreshed_since(seen, key, returned.began)
            for key in returned.asked
        )
        or any(_may_be_an_answer(call) for call in seen.calls if call.began >= returned.began)
        or len(failures) + len(unasked) != len(returned.outcomes)
        or any(failure.kind not in UNREACHED for failure in failures)
        or len(failures) < LEAST_SOURCES
        or 2 * broken < len(failures)
    ):
        return []
    return failures


def _may_be_an_answer(call: Call) -> bool:
    """Return whether somebody may have heard something of an upstream, be it an error."""
    return call.answered or call.does == "none" or (call.does == "fail" and is_answer(FailureKind(call.kind)))


def _answers(outcome: Outcome[Any]) -> bool:
    """Return whether its upstream has said something just now, be it an error; what was kept says nothing of today."""
    if isinstance(outcome, Success):
        return outcome.age is None
    return isinstance(outcome, Failure) and is_answer(outcome.kind)


def _skip(outcome: Outcome[Any]) -> SkipReason | None:
    return outcome.reason if isinstance(outcome, Skipped) else None
