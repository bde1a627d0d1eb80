"""What is known to be wrong in the engine and not mended yet: where each law looks away, and from nothing else.

`tests/simulation/worlds/known` holds a world for each function, which breaks the law as soon as it does not look away.
When the engine is mended, the function goes, and its world moves to those that once broke a law.
"""

from data_source_orchestrator.core.outcome import Failure, Outcome
from data_source_orchestrator.simulation.upstreams import Call
from data_source_orchestrator.simulation.witness import Witness


def left_before_its_turn(outcome: Outcome[object]) -> bool:
    """Return whether a run gave up a shared flight that still stood in line: told as a failure after 0 attempts."""
    return isinstance(outcome, Failure) and not outcome.attempts


def displaced_by_a_sync(seen: Witness, key: str) -> bool:
    """Return whether a source's answers are kept: then a sync's flight takes the place of another, which is lost."""
    return seen.settings.cached(key) and any(operation.action.verb == "sync" for operation in seen.operations)


def refreshes_beside_one_of_before(seen: Witness, key: str) -> bool:
    """Return whether a source was reset or changed: its new cache knows nothing of a refresh for the one before."""
    return seen.settings.changed(key)


def ends_after_its_first_call(call: Call, beside: list[Call]) -> bool:
    """Return whether a call is hedged with one whose caller has left: the second goes on until the first has ended."""
    return any(other.execution is call.execution and other.cancelled_at is not None for other in beside)


def comes_after_its_first_was_told_to_wait(seen: Witness, call: Call) -> bool:
    """Return whether it may be a second call that stood in line when the first one was told when to come again."""
    return seen.settings.hedged(call.source) and call.attempt > 1


def takes_two_graces(seen: Witness) -> bool:
    """Return whether a second call may be given up only when the first one's grace is over, and have its own then."""
    return any(seen.settings.hedged(plan.key) for plan in seen.world.sources)


EXCUSES = (
    left_before_its_turn,
    displaced_by_a_sync,
    refreshes_beside_one_of_before,
    ends_after_its_first_call,
    comes_after_its_first_was_told_to_wait,
    takes_two_graces,
)
