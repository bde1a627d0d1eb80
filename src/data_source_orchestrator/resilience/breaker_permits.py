"""Leave to make one attempt: which breaker gave it, in which era, and how far it has come since."""

from msgspec import Struct

from data_source_orchestrator.core.errors import PermitError

HELD, FINISHED, COUNTED = range(3)
"""The stages of a permit: its attempt is under way, has ended, and has been counted as the last of an execution."""


class Era:
    """The time between two changes of one breaker, in which the permits that it gives count.

    `seal` stands for the breaker, which an era does not hold: whoever hears of its changes may hold a permit.
    """

    __slots__ = ("generation", "probe", "seal")

    def __init__(self, seal: object, generation: int, *, probe: bool) -> None:
        self.seal = seal
        self.generation = generation
        self.probe = probe


class Permit(Struct, eq=False, gc=False):  # an era holds nothing, so no circle can come of one
    """Leave to make one attempt, given back once; a probe's result decides whether the source is re-admitted."""

    era: Era
    probe: bool
    stage: int = HELD

    @property
    def generation(self) -> int:
        """How many changes of the breaker came before it was given."""
        return self.era.generation


def refusal(permit: Permit, seal: object) -> PermitError:
    """Return why the breaker of that seal does not take this permit, which it would take at another stage."""
    if permit.era.seal is not seal:
        return PermitError("this permit is another breaker's; give it back to the one whose admit() gave it")
    if permit.stage == HELD:
        return PermitError("this permit's attempt is still under way; call finish() before finish_execution()")
    return PermitError(
        "this permit was given back already; each is good for one attempt:"
        " call finish() once for it, in a `finally`, and finish_execution() once for the last of an execution"
    )
