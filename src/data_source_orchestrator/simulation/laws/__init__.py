"""What must hold in every world: each law a small function that returns the sentence of its breach, or None.

Laws read what is public or documented, and `inside` for the little that is not. The law of a new strategy (a
limiter's slots come back; a hedge's loser is censored) is one more function in the tuple of its moment.
"""

from data_source_orchestrator.simulation.laws.returns import RETURN_LAWS
from data_source_orchestrator.simulation.laws.steps import STEP_LAWS

__all__ = ["RETURN_LAWS", "STEP_LAWS"]
