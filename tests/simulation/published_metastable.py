"""A server that loses half its capacity for thirty seconds: whether its clients let it recover.

After N. Bronson and others, "Metastable Failures in Distributed Systems" (HotOS 2021). The server works off one queue
at 100 requests a second, also those whose clients have given up after 1 s; 80 new requests a second arrive by chance.
The clients use this library's own backoff, budget and breaker, on a clock that the simulation moves.
"""

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from data_source_orchestrator.core.clock import ManualClock, system_chance
from data_source_orchestrator.core.policies import BreakerPolicy, BudgetPolicy, RetryConfig
from data_source_orchestrator.core.verdicts import FailureKind, Verdict
from data_source_orchestrator.resilience.backoff import Backoff
from data_source_orchestrator.resilience.breaker import CircuitBreaker, Permit
from data_source_orchestrator.resilience.budget import RetryBudget

CAPACITY, LOAD, TIMEOUT = 100.0, 80.0, 1.0
HALVED = (60.0, 90.0)
END = 300
IMMEDIATE = RetryConfig(base_delay=0, max_delay=0, jitter=False)
FULL_JITTER = RetryConfig(base_delay=0.1, max_delay=10, jitter="full")


@dataclass(frozen=True, kw_only=True)
class Clients:
    """What the clients do with a failed request, and what holds them back."""

    retries: int = 0
    retry: RetryConfig = IMMEDIATE
    budget: bool = False
    breaker: bool = False


@dataclass(slots=True)
class Request:
    """What a client wants, through all its attempts; `awaited` is the attempt whose answer it waits for, 0 none."""

    waits: Iterator[float]
    attempt: int = 0
    awaited: int = 0
    permit: Permit | None = None


Act = Callable[[Request, int], None]


class Simulation:
    """One server, and all its clients as one program that shares its budget and its breaker.

    `goodput` and `sent` count the answers in time and the attempts of each second.
    """

    def __init__(self, clients: Clients, seed: int = 1) -> None:
        self.goodput = [0] * (END + 1)
        self.sent = [0] * (END + 1)
        self._clients = clients
        self._clock = ManualClock()
        self._chance = system_chance(seed)
        self._budget = RetryBudget(BudgetPolicy())
        self._breaker = CircuitBreaker(BreakerPolicy(), clock=self._clock, chance=self._chance)
        self._queue: deque[tuple[Request, int]] = deque()
        self._busy = False
        self._events: list[tuple[float, int, Act, Request, int]] = []
        self._order = count()

    def run(self) -> "Simulation":
        """Play it to its end."""
        self._arrive(self._new_request(), 0)
        while self._events[0][0] < END:
            moment, _, act, request, attempt = heapq.heappop(self._events)
            self._clock.advance(max(0.0, moment - self._clock.monotonic()))
            act(request, attempt)
        return self

    def mean_goodput(self, begin: int, end: int) -> float:
        """Return the answers in time per second."""
        return sum(self.goodput[begin:end]) / (end - begin)

    def _after(self, seconds: float, act: Act, request: Request, attempt: int) -> None:
        heapq.heappush(self._events, (self._clock.monotonic() + seconds, next(self._order), act, request, attempt))

    def _new_request(self) -> Request:
        return Request(iter(Backoff(self._clients.retry, chance=self._chance)))

    def _arrive(self, request: Request, _attempt: int) -> None:
        gap = -math.log(1.0 - self._chance.random()) / LOAD
        self._after(gap, self._arrive, self._new_request(), 0)
        self._send(request, 0)

    def _send(self, request: Request, _attempt: int) -> None:
        """Make the next attempt where the breaker lets it; else the execution is over, or never began."""
        permit = self._breaker.admit() if self._clients.breaker else request.permit
        if self._clients.breaker and permit is None:
            self._over(request, Verdict.FAILURE)
            return
        request.permit = permit
        request.attempt = request.awaited = request.attempt + 1
        self.sent[self._second] += 1
        self._queue.append((request, request.attempt))
        self._after(TIMEOUT, self._time_up, request, request.attempt)
        if not self._busy:
            self._serve()

    def _serve(self) -> None:
        """Begin what has waited longest, whether anybody still wants it or not."""
        self._busy = bool(self._queue)
        if self._busy:
            halved = HALVED[0] <= self._clock.monotonic() < HALVED[1]
            self._after((2.0 if halved else 1.0) / CAPACITY, self._served, *self._queue.popleft())

    def _served(self, request: Request, attempt: int) -> None:
        if request.awaited == attempt:
            request.awaited = 0
            self.goodput[self._second] += 1
            self._budget.refund()
            self._finish(request, Verdict.SUCCESS)
            self._over(request, Verdict.SUCCESS)
        self._serve()

    def _time_up(self, request: Request, attempt: int) -> None:
        if request.awaited != attempt:
            return
        request.awaited = 0
        self._finish(request, Verdict.FAILURE)
        if self._may_retry(request):
            self._after(next(request.waits), self._send, request, 0)
        else:
            self._over(request, Verdict.FAILURE)

    def _may_retry(self, request: Request) -> bool:
        if request.attempt > self._clients.retries or (request.permit is not None and request.permit.probe):
            return False
        return not self._clients.budget or self._budget.spend(FailureKind.TIMEOUT)

    def _finish(self, request: Request, verdict: Verdict) -> None:
        if request.permit is not None:
            self._breaker.finish(request.permit, verdict, 0.0)

    def _over(self, request: Request, verdict: Verdict) -> None:
        if request.permit is not None:
            self._breaker.finish_execution(request.permit, verdict)

    @property
    def _second(self) -> int:
        return int(self._clock.monotonic())
