"""How exactly laws about time are taken."""

from data_source_orchestrator.simulation import inside
from data_source_orchestrator.simulation.witness import Witness


def keeping(seen: Witness) -> float:
    """Return the seconds that a call may wait for the store: for its own turn, and everybody's before it."""
    return 2 * (seen.world.store_latency or 0.0) * (len(seen.operations) + 1)


def grace(seen: Witness, since: float, key: str | None = None) -> float:
    """Return the seconds that were granted to fetchers, or one's, that would not end at or after a moment."""
    return inside.GRACE if seen.untidy(since, key) else 0.0
