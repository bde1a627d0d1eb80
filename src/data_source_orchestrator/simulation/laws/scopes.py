"""The laws of limits, held against what the modelled upstreams saw: slots, pace, an upstream's own word, and turns."""

from collections.abc import Callable

from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.outcome import Skipped
from data_source_orchestrator.core.verdicts import SkipReason
from data_source_orchestrator.simulation import inside
from data_source_orchestrator.simulation.scopes_seen import ScopeSeen
from data_source_orchestrator.simulation.upstreams import Call
from data_source_orchestrator.simulation.wall_clock import TICK
from data_source_orchestrator.simulation.witness import Witness


def never_more_calls_at_once_than_allowed(seen: Witness) -> str | None:
    """Tell of a call that came while as many were under way in its scope as may be."""
    for entered in seen.scopes.fresh:
        if entered.most is not None and entered.at_once > entered.most:
            return f"{entered.at_once} calls are under way at once in {entered.scope}, and {entered.most} are allowed"
    return None


def the_slots_in_use_are_the_calls_under_way(seen: Witness) -> str | None:
    """Tell of a slot held for no call, nor by the one who waits for a wider scope; and of a call that holds none."""
    for scope in seen.scopes:
        held = sum(inside.in_use(engine) for engine in scope.engines)
        onward = sum(inside.through_the_door(engine) for engine in scope.engines)
        sure, possible = seen.scopes.under_way(scope, seen.now)
        if not sure <= held <= possible + onward:
            return f"{held} slots of {scope.name} are in use, and {sure} to {possible} calls are under way in it"
    return None


def nobody_waits_who_has_left(seen: Witness) -> str | None:
    """Tell of a place in a line, or a slot, that is left while nobody asks: others would wait for it for ever."""
    if not seen.idle:
        return None
    for scope in seen.scopes:
        left = sum(inside.waiting(engine) + inside.in_use(engine) for engine in scope.engines)
        if left:
            return f"{left} places of {scope.name} are taken while nobody asks"
    return None


def the_pace_is_kept(seen: Witness) -> str | None:
    """Tell of a call by which more have begun in some time than the rate and its burst allow."""
    for entered in seen.scopes.fresh:
        if entered.call.began < entered.due - TICK:
            return f"{_call(entered.call)} came to {entered.scope}, whose pace allowed it from {entered.due:.3f} s on"
    return None


def the_pace_counts_the_calls_that_were_made(seen: Witness) -> str | None:
    """Tell of tokens that were taken for no call, which slow others down, or given back for one that was made.

    A store keeps until when they are missing, and not how many: by a clock that was set back, or another pace, longer.
    """
    for scope in seen.scopes.in_force(seen.registered()):
        if scope.sure.policy is None or len({id(engine.rate) for engine in scope.engines}) != 1:
            continue
        engine = scope.engines[-1]
        held = inside.back_in(engine)
        least, most = scope.sure.back_in(seen.now), scope.possible.back_in(seen.now)
        longer = seen.store is not None and (seen.clock_was_set_back or scope.had_other_limits)
        if held < least - TICK or (held > most + TICK and not longer):
            made = f"its calls make that {least:.3f} to {most:.3f} s"
            return f"the pace of {engine.name} is back in {held:.3f} s, and {made}"
    return None


def pushback_is_never_broken(seen: Witness) -> str | None:
    """Tell of a call that came earlier than its upstream had told anybody in the scope to come again."""
    for entered in seen.scopes.fresh:
        if entered.call.began < entered.held_until - TICK:
            told = f"which is to be left alone until {entered.held_until:.3f} s"
            return f"{_call(entered.call)} came to {entered.scope}, {told}"
    return None


def a_retry_waits_as_long_as_it_was_told(seen: Witness) -> str | None:
    """Tell of an execution's own retry that came earlier than one of its calls was told to come again."""
    for call in seen.fresh_calls:
        told = [other for other in seen.calls[: call.number] if other.execution is call.execution and other.wait]
        for other in told:
            heard = other.ended is not None and other.cancelled_at is None and other not in call.beside
            if heard and call.began < (other.ended or 0.0) + (other.wait or 0.0) - TICK:
                return f"{_call(call)} came, and {_call(other)} had been told to wait {other.wait:g} s"
    return None


def an_allowance_is_never_overdrawn(seen: Witness) -> str | None:
    """Tell of a call beyond what its upstream had said would be answered; where settings changed, nobody knows."""
    for call in seen.fresh_calls:
        if call.overdrawn and not call.check and _is_paced_as_it_counts(seen, call):
            return f"{_call(call)} was one too many, and its upstream had told before how many were left"
    return None


def first_come_first_served(seen: Witness) -> str | None:
    """Tell of a call that was let in after one that had come to the same line later."""
    for turn in seen.turns.fresh:
        if turn.latest_before > turn.wanted + TICK:
            return (
                f"{_call(turn.call)} stood in the line of {turn.line} since {turn.wanted:.3f} s, and one that came at"
                f" {turn.latest_before:.3f} s was let in before it"
            )
    return None


def nobody_is_turned_away_who_had_time(seen: Witness) -> str | None:
    """Tell of a run, asking now, whose source was left out for a pace that would have let it in long before its end."""
    for outcome in (ended.executed.outcome for ended in seen.fresh_executions):
        if not isinstance(outcome, Skipped) or outcome.reason is not SkipReason.RATE_LIMIT:
            continue
        source = seen.settings.last(outcome.source).source
        scopes = seen.scopes.passed_by(outcome.source)
        if any(_is_beyond_telling(seen, scope) for scope in scopes) or not _is_asked_alone(seen, outcome.source):
            continue
        allowed = max(max(scope.possible.due(), scope.perhaps_held_until) for scope in scopes)
        ends = seen.now + min(seen.world.timeout, in_seconds(source.timeout))
        if allowed < ends - TICK:
            return (
                f"{outcome.source} was turned away, with time until {ends:.3f} s, and allowed from {allowed:.3f} s on"
            )
    return None


SCOPE_LAWS: tuple[Callable[[Witness], str | None], ...] = (
    never_more_calls_at_once_than_allowed,
    the_slots_in_use_are_the_calls_under_way,
    nobody_waits_who_has_left,
    the_pace_is_kept,
    the_pace_counts_the_calls_that_were_made,
    pushback_is_never_broken,
    a_retry_waits_as_long_as_it_was_told,
    an_allowance_is_never_overdrawn,
    first_come_first_served,
    nobody_is_turned_away_who_had_time,
)
"""They must hold whenever all that can happen at one moment has happened."""


def _call(call: Call) -> str:
    return f"call {call.number} of {call.source}, at {call.began:.3f} s,"


def _is_asked_alone(seen: Witness, key: str) -> bool:
    """Return whether nobody can have wanted a source before this moment, nor another one that shares its scopes."""
    here = [each for each in seen.operations if each.ended is None or each.ended >= seen.now - TICK]
    scopes = seen.scopes.passed_by(key)
    sharing = {other for each in here for other in each.asked if set(seen.scopes.passed_by(other)) & set(scopes)}
    return sharing == {key} and all(each.began >= seen.now - TICK for each in here if key in each.asked)


def _is_beyond_telling(seen: Witness, scope: ScopeSeen) -> bool:
    """Return whether others may stand in a caller's way, calls under way, or what an upstream has left."""
    others = any(inside.waiting(engine) for engine in scope.engines) or scope.policy.concurrency is not None
    kept = seen.store is not None and (seen.clock_was_set_back or scope.had_other_limits)
    quotas = [*(host.quota for host in seen.world.hosts), *(plan.quota for plan in seen.world.sources)]
    return others or kept or any(quota is not None and quota.tells_rest for quota in quotas)


def _is_paced_as_it_counts(seen: Witness, call: Call) -> bool:
    """Return whether all who share the call's quota share its pace, and always have."""
    [plan] = [plan for plan in seen.world.sources if plan.key == call.source]
    sharing = [each for each in seen.world.sources if each.host == plan.host] if plan.host is not None else [plan]
    paced = plan.host is not None or plan.limits is not None
    acted = any(seen.sources[each.key].acted_at >= 0 for each in sharing)  # what an upstream said is lifted then
    return paced and not acted and not any(seen.settings.changed(each.key) for each in sharing)
