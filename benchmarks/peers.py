"""What others offer for the same work, each as its own documentation has it used, with limits that let everything pass.

Ours bounds the whole and each attempt, retries, pays retries from a budget, asks a breaker and a rate limiter, and
notes health and metrics. Of that:

- the tenacity stack (tenacity + pybreaker + asyncio.timeout + aiolimiter): both limits, retries, breaker, rate; no
  budget, no health.
- hyx: one limit for each attempt, retries, breaker, rate; no limit for the whole, no budget, no health.
- pyresilience: one limit for each attempt, retries, budget, breaker, rate; no limit for the whole, no health.
- stamina and backoff: retries with an end to them, which cuts no attempt short; nothing else.

They are no dependency of anything: without `--group peers` they are left out.
"""

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module

Work = Callable[[], Awaitable[object]]
Wrap = Callable[[Work], Work]

ATTEMPTS = 4
ATTEMPT_SECONDS, WHOLE_SECONDS = 10, 30
FAILURES, BREAK_SECONDS = 5, 30
WIDE = 10**9
"""Calls a second: nobody waits."""

STACK = "tenacity stack"
"""What stands for the first of them."""


def tenacity_stack(work: Work) -> Work:
    """Put tenacity outside a rate limiter, a breaker and a limit for the attempt, and a limit around all of it."""
    tenacity, pybreaker, aiolimiter = (import_module(name) for name in ("tenacity", "pybreaker", "aiolimiter"))
    breaker = pybreaker.CircuitBreaker(fail_max=FAILURES, reset_timeout=BREAK_SECONDS)
    limiter = aiolimiter.AsyncLimiter(WIDE, 1)

    async def attempt() -> object:
        async with limiter:
            with breaker.calling():
                async with asyncio.timeout(ATTEMPT_SECONDS):
                    return await work()

    retrying = tenacity.retry(stop=tenacity.stop_after_attempt(ATTEMPTS), wait=tenacity.wait_exponential_jitter())
    retried: Work = retrying(attempt)

    async def whole() -> object:
        async with asyncio.timeout(WHOLE_SECONDS):
            return await retried()

    return whole


def hyx(work: Work) -> Work:
    """Put hyx's four decorators around it, inside a running event loop, as they demand."""
    retry, breaker, timeout, rate = (
        import_module(f"hyx.{part}") for part in ("retry", "circuitbreaker", "timeout", "ratelimit")
    )
    wrapped = timeout.timeout(ATTEMPT_SECONDS)(work)
    wrapped = breaker.consecutive_breaker(failure_threshold=FAILURES, recovery_time_secs=BREAK_SECONDS)(wrapped)
    wrapped = rate.tokenbucket(max_executions=WIDE, per_time_secs=1)(wrapped)
    guarded: Work = retry.retry(attempts=ATTEMPTS)(wrapped)
    return guarded


def pyresilience(work: Work) -> Work:
    """Put pyresilience's one decorator around it."""
    offered = import_module("pyresilience")
    guarded: Work = offered.resilient(
        retry=offered.RetryConfig(max_attempts=ATTEMPTS),
        timeout=offered.TimeoutConfig(seconds=ATTEMPT_SECONDS),
        circuit_breaker=offered.CircuitBreakerConfig(failure_threshold=FAILURES, recovery_timeout=BREAK_SECONDS),
        rate_limiter=offered.RateLimiterConfig(max_calls=WIDE),
        retry_budget=offered.RetryBudgetConfig(),
    )(work)
    return guarded


def stamina(work: Work) -> Work:
    """Put stamina's retries around it."""
    retried: Work = import_module("stamina").retry(on=Exception, attempts=ATTEMPTS, timeout=WHOLE_SECONDS)(work)
    return retried


def backoff(work: Work) -> Work:
    """Put backoff's retries around it."""
    offered = import_module("backoff")
    retried: Work = offered.on_exception(offered.expo, Exception, max_tries=ATTEMPTS, max_time=WHOLE_SECONDS)(work)
    return retried


STACKS: dict[str, Wrap] = {STACK: tenacity_stack, "hyx": hyx, "pyresilience": pyresilience}
RETRIES_ALONE: dict[str, Wrap] = {"stamina (retries alone)": stamina, "backoff (retries alone)": backoff}


def installed(wraps: dict[str, Wrap], work: Work) -> dict[str, Work]:
    """Return the work as each peer guards it that is installed here; call it inside the loop that will run it."""
    found: dict[str, Work] = {}
    for name, wrap in wraps.items():
        try:
            found[name] = wrap(work)
        except ImportError as error:
            print(f"left out, not installed: {name} ({error.name}); run with `uv run --group peers`")
    return found
