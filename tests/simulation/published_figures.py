"""Every published figure that is reproduced here, with ours beside it; seeds are fixed, so ours are always the same."""

from dataclasses import dataclass
from functools import cache

import published_hedging as hedging
import published_jitter as jitter
from published_amplification import load
from published_metastable import FULL_JITTER, Clients, Simulation

from data_source_orchestrator.core.policies import BudgetPolicy
from data_source_orchestrator.resilience.latencies import Latencies
from data_source_orchestrator.testing import run_virtual

ROUNDS = 20
PAGES = 10_000
HEDGE_DELAY = 0.03
AFTERWARDS = (200, 300)

BACKOFFS = {
    "no backoff": (jitter.none(), 2421),
    "exponential, no jitter": (jitter.exponential("none"), 1853),
    "exponential ±25 %": (jitter.exponential("quarter"), None),
    "full jitter": (jitter.exponential("full"), 797),
    "decorrelated (Polly's formula)": (jitter.exponential("decorrelated"), None),
}
CLIENTS = {
    "no retry": (Clients(), 81),
    "3 retries at once": (Clients(retries=3), 0),
    "3 retries, full jitter": (Clients(retries=3, retry=FULL_JITTER), 0),
    "3 retries at once, budget": (Clients(retries=3, budget=True), 81),
    "3 retries at once, breaker": (Clients(retries=3, breaker=True), 81),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table; `published` is None where there is nothing to compare with."""

    experiment: str
    case: str
    published: float | None
    ours: float


@cache
def writes(case: str) -> float:
    """Return the writes until a hundred clients have succeeded with this backoff."""
    return jitter.writes(BACKOFFS[case][0], rounds=ROUNDS)


@cache
def simulation(case: str) -> Simulation:
    """Return what happened to a server with these clients."""
    return Simulation(CLIENTS[case][0]).run()


def goodput(case: str) -> float:
    """Return the answers in time per second, long after the trouble is over."""
    return simulation(case).mean_goodput(*AFTERWARDS)


@cache
def pages() -> hedging.Pages:
    """Return ten thousand pages, with hedging and without."""
    return run_virtual(hedging.pages(PAGES, delay=HEDGE_DELAY))


@cache
def extra_calls(*, forgetful: bool) -> float:
    """Return the share of calls that the live 95 % quantile hedges, with and without its censored ones."""
    latencies = hedging.Forgetful() if forgetful else Latencies()
    return run_virtual(hedging.extra_calls(5_000, latencies=latencies))


def figures() -> list[Figure]:
    """Return the whole table."""
    return [*_jitter(), *_metastable(), *_amplification(), *_hedging()]


def _jitter() -> list[Figure]:
    told = "writes until 100 clients have succeeded"
    return [
        Figure(experiment=told, case=case, published=published, ours=writes(case))
        for case, (_, published) in BACKOFFS.items()
    ]


def _metastable() -> list[Figure]:
    told = "goodput per second, 110 s after the trouble"
    return [
        Figure(experiment=told, case=case, published=published, ours=goodput(case))
        for case, (_, published) in CLIENTS.items()
    ]


def _amplification() -> list[Figure]:
    told = "calls for each that was wanted, all failing"
    budget = BudgetPolicy()
    cases = {
        "3 blind retries": (4.0, load(5_000, retries=3, budget=None)),
        "3 retries, budget": (1.02, load(5_000, retries=3, budget=budget)),
        "3 retries, gRPC's throttling": (None, load(5_000, retries=3, budget=BudgetPolicy.grpc())),
        "5 layers of 3 attempts": (243.0, load(100, retries=2, budget=None, layers=5)),
        "5 layers of 3 attempts, budgets": (None, load(5_000, retries=2, budget=budget, layers=5)),
    }
    return [Figure(experiment=told, case=case, published=there, ours=ours) for case, (there, ours) in cases.items()]


def _hedging() -> list[Figure]:
    told = "100-way fan-out"
    plain, hedged = (1000 * hedging.quantile(each, 0.999) for each in (pages().plain, pages().hedged))
    live, forgetful = 100 * extra_calls(forgetful=False), 100 * extra_calls(forgetful=True)
    return [
        Figure(experiment=told, case="p99.9 without hedging, ms", published=2231, ours=plain),
        Figure(experiment=told, case="p99.9 with hedging after 30 ms, ms", published=48, ours=hedged),
        Figure(experiment=told, case="more calls, %", published=0.2, ours=100 * (pages().calls - 1)),
        Figure(experiment="live 95 % quantile", case="more calls, %", published=None, ours=live),
        Figure(
            experiment="live 95 % quantile", case="more calls, % (losers forgotten)", published=None, ours=forgetful
        ),
    ]
