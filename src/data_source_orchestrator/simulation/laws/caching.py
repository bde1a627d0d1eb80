"""The laws of the result cache: what is served was accepted, is young enough, and was asked for only once."""

from collections.abc import Callable, Iterator

from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.outcome import Failure, Outcome, Skipped, Success
from data_source_orchestrator.core.policies import CachePolicy
from data_source_orchestrator.simulation.laws.limits import grace
from data_source_orchestrator.simulation.upstreams import Call
from data_source_orchestrator.simulation.wall_clock import TICK
from data_source_orchestrator.simulation.witness import Ended, Operation, Witness


def what_is_kept_was_accepted(seen: Witness) -> str | None:
    """Tell of a failure, a breach, a check or another source's answer that was served from what is kept."""
    for ended, data in _served(seen):
        if _answer(seen, ended.executed.outcome.source, data) is None:
            return f"{data!r} was served as the data of {ended.executed.outcome.source}, which was never accepted"
    return None


def nothing_is_served_that_is_too_old(seen: Witness) -> str | None:
    """Tell of kept data beyond the ages that its policy, of whenever it was planned, allows."""
    for ended, data in _served(seen):
        outcome = ended.executed.outcome
        call = _answer(seen, outcome.source, data)
        if call is None:
            continue
        oldest = max((_oldest(seen, outcome, policy) for policy in _policies(seen, ended)), default=0.0)
        kept_within = grace(seen, call.began, call.source)  # a hedge's loser is waited for before
        limit, age = oldest + kept_within, seen.youngest_age(call.ended or 0.0, kept_within)
        if age > limit + TICK:
            return f"{outcome.source} was served with data {age:.3f} s old, and {limit:g} s are allowed"
    return None


def a_hit_is_no_execution(seen: Witness) -> str | None:
    """Tell of an answer that was kept and is told as if somebody had been asked for it."""
    for outcome in (ended.executed.outcome for ended in seen.fresh_executions):
        if isinstance(outcome, Success) and outcome.age is not None and (outcome.attempts or outcome.latency):
            return f"{outcome.source} was served from what is kept, and that was {outcome.attempts} attempts"
    return None


def a_fresh_answer_is_served_without_a_call(seen: Witness) -> str | None:
    """Tell of a call for whoever asked while the last answer that was accepted was younger than its ttl."""
    for call in seen.fresh_calls:
        asked_by, accepted_at = call.asked_by, seen.accepted.get(call.source)
        if call.check or accepted_at is None or not isinstance(asked_by, Operation) or asked_by.action.verb == "sync":
            continue
        policies = [each.source.cache_policy for each in seen.settings.between(call.source, accepted_at, call.began)]
        ttl = min(0.0 if policy is None else in_seconds(policy.ttl) for policy in policies)
        if accepted_at + TICK < asked_by.began and call.began < accepted_at + ttl - TICK:
            answer = f"its answer of {accepted_at:.3f} s is good for {ttl:g} s"
            return f"{call.source} was asked at {call.began:.3f} s, and {answer}"
    return None


def older_data_stands_beside_a_failure(seen: Witness, returned: Operation) -> str | None:
    """Tell of a failure that is told alone, although an answer is kept that its policy lets stand by."""
    for outcome in returned.outcomes:
        if any(outcome is each for each in seen.alone):
            return f"{returned} told of the failure of {outcome.source}, and not of the older data that was kept"
    return None


CACHE_LAWS: tuple[Callable[[Witness], str | None], ...] = (
    what_is_kept_was_accepted,
    nothing_is_served_that_is_too_old,
    a_hit_is_no_execution,
    a_fresh_answer_is_served_without_a_call,
)
"""They must hold whenever all that can happen at one moment has happened."""


def _served(seen: Witness) -> Iterator[tuple[Ended, object]]:
    """Yield the executions that ended with data that was kept, and the data."""
    for ended in seen.fresh_executions:
        match ended.executed.outcome:
            case Success(age=age, data=data) if age is not None:
                yield ended, data
            case Failure(stale_data=data) | Skipped(stale_data=data) if data is not None:
                yield ended, data
            case _:
                pass


def _answer(seen: Witness, key: str, data: object) -> Call | None:
    """Return the call of a source that gave this data and was answered, None where there was no such call."""
    match data:
        case (str(owner), int(number)) if owner == key and number < len(seen.calls):
            call = seen.calls[number]
            return call if call.source == key and call.answered and not call.check else None
        case _:
            return None


def _policies(seen: Witness, ended: Ended) -> Iterator[CachePolicy]:
    """Yield the policies of a source that may have been in force when an execution was planned."""
    for setting in seen.settings.between(ended.executed.outcome.source, ended.planned, seen.now):
        if setting.source.cache_policy is not None:
            yield setting.source.cache_policy


def _oldest(seen: Witness, outcome: Outcome[object], policy: CachePolicy) -> float:
    """Return the age up to which an outcome may serve what is kept; nothing is refreshed where no context is open."""
    if not isinstance(outcome, Success):
        return in_seconds(policy.stale_if_error)
    revalidate = in_seconds(policy.stale_while_revalidate) if seen.store is not None else 0.0
    return max(in_seconds(policy.ttl), revalidate)
