"""What must hold in every world: each law a small function that returns the sentence of its breach, or None.

Laws read what is public or documented, and `inside` for the little that is not. The law of a new strategy (a
limiter's slots come back; a hedge's loser is censored) is one more function in the tuple of its room.
"""

from data_source_orchestrator.simulation.laws import caching, hedging, scopes, spending, steps
from data_source_orchestrator.simulation.laws.ends import END_LAWS
from data_source_orchestrator.simulation.laws.returns import RETURN_LAWS

STEP_LAWS = (
    *steps.STEP_LAWS,
    *scopes.SCOPE_LAWS,
    *spending.SPENDING_LAWS,
    *hedging.HEDGE_LAWS,
    *caching.CACHE_LAWS,
)
"""Those that must hold whenever all that can happen at one moment has happened."""

__all__ = ["END_LAWS", "RETURN_LAWS", "STEP_LAWS"]
