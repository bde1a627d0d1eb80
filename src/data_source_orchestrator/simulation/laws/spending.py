"""The laws of extra calls: none that was not told, none that was not paid for, measured where the calls arrive."""

from collections.abc import Callable

from data_source_orchestrator.core.policies import BudgetPolicy
from data_source_orchestrator.simulation.extras_seen import Tally
from data_source_orchestrator.simulation.witness import Witness

PRICES = BudgetPolicy()
"""What extra calls cost; a world sets how many tokens there are, and no prices."""

LEAST = min(PRICES.retry_cost, PRICES.hedge_cost)
"""What a retry or a hedge costs at the least."""


def every_extra_call_is_told(seen: Witness) -> str | None:
    """Tell of more calls than there were executions, retries and hedges."""
    for key, tally in seen.extras.of_sources.items():
        if tally.extra > seen.extras.told[key]:
            return f"{tally.extra} calls of {key} were extra, and {seen.extras.told[key]} retries and hedges were told"
    return None


def calls_beyond_what_was_asked_are_paid_for(seen: Witness) -> str | None:
    """Tell of calls at an upstream that its source's budget cannot have paid for, at the least that they cost."""
    for key, tally in seen.extras.of_sources.items():
        asked = seen.extras.asked[key]
        cost = LEAST * tally.extra + PRICES.refresh_cost * max(0, len(tally.executions) - asked)
        granted = seen.sources[key].tokens + PRICES.refund * tally.answered
        if cost > granted:
            return f"{key} was asked {asked} times and got {_calls(tally)}, and {granted:g} tokens were there for more"
    return None


def a_run_pays_for_its_extra_calls(seen: Witness) -> str | None:
    """Tell of extra calls that one run's budget cannot have paid for, whichever sources they were of."""
    for operation in {call.asked_by for call in seen.fresh_calls}:
        tally = seen.extras.of_askings.get(id(operation))
        if tally is None:
            continue
        whole = seen.world.run_tokens
        granted = whole + PRICES.refund * tally.answered if whole >= LEAST else 0  # it never holds more than the whole
        if LEAST * tally.extra > granted:
            return f"{operation} made {_calls(tally)}, and its run had {granted:g} tokens for more"
    return None


SPENDING_LAWS: tuple[Callable[[Witness], str | None], ...] = (
    every_extra_call_is_told,
    calls_beyond_what_was_asked_are_paid_for,
    a_run_pays_for_its_extra_calls,
)
"""They must hold whenever all that can happen at one moment has happened."""


def _calls(tally: Tally) -> str:
    return f"{tally.calls} calls in {len(tally.executions)} executions"
