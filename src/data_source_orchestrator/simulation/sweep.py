"""Plays many worlds, on several processes where wanted, and cuts down the first that breaks a law."""

import asyncio
import logging
import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from data_source_orchestrator.simulation.play import Played, Violation, play
from data_source_orchestrator.simulation.seeding import world_of
from data_source_orchestrator.simulation.shrink import shrink
from data_source_orchestrator.simulation.world import World

PORTION = 25
"""Worlds that a process plays before it tells how far it is."""

QUEUED = 2
"""Portions that are handed out for each process, so that none waits for the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """Worlds that were played: how many, what they held, and the first seed whose world broke a law, if any did."""

    worlds: int = 0
    runs: int = 0
    calls: int = 0
    seconds: float = 0.0
    failing: int | None = None

    def __add__(self, other: "Swept") -> "Swept":
        failing = [seed for seed in (self.failing, other.failing) if seed is not None]
        return Swept(
            worlds=self.worlds + other.worlds,
            runs=self.runs + other.runs,
            calls=self.calls + other.calls,
            seconds=self.seconds + other.seconds,
            failing=min(failing, default=None),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A world that broke a law, cut down, and what happened in it."""

    seed: int
    violation: Violation
    world: World
    played: Played


def sweep_here(start: int, count: int) -> Swept:
    """Play the worlds of that many seeds one after another, up to the first that breaks a law."""
    swept = Swept()
    for seed in range(start, start + count):
        played = play(world_of(seed))
        swept += Swept(
            worlds=1,
            runs=played.runs,
            calls=played.calls,
            seconds=played.seconds,
            failing=seed if played.violations else None,
        )
        if swept.failing is not None:
            break
    return swept


async def sweep(start: int, count: int, *, jobs: int, told: Callable[[Swept], None]) -> Swept:
    """Play the worlds of that many seeds on `jobs` processes, up to the first that breaks a law.

    `told` hears how far it is. Where it is cancelled, the portions under way are waited for.
    """
    portions = [(first, min(PORTION, start + count - first)) for first in range(start, start + count, PORTION)]
    swept, loop = Swept(), asyncio.get_running_loop()
    waiting: set[asyncio.Future[Swept]] = set()
    with _processes(min(jobs, len(portions))) as pool:
        while (portions or waiting) and swept.failing is None:
            while portions and len(waiting) < QUEUED * jobs:
                waiting.add(loop.run_in_executor(pool, sweep_here, *portions.pop(0)))
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            swept = sum((each.result() for each in done), swept)
            told(swept)
        # An earlier seed may have failed too, and is the one to tell.
        return sum(await asyncio.gather(*waiting), swept)


async def cut_down(seed: int) -> Finding | None:
    """Return what `finding` returns, worked out on a process of its own."""
    with _processes(1) as pool:
        return await asyncio.get_running_loop().run_in_executor(pool, finding, seed)


def finding(seed: int) -> Finding | None:
    """Play a seed's world again, cut it down, and return what is left; None where it breaks no law."""
    world = world_of(seed)
    violations = play(world).violations
    if not violations:
        return None
    smaller = shrink(world, violations[0].law)
    played = play(smaller)
    [violation] = [each for each in played.violations if each.law == violations[0].law]
    return Finding(seed=seed, violation=violation, world=smaller, played=played)


@contextmanager
def _processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes that start anew, without this one's threads; what they have begun is waited for."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(max_workers=count, mp_context=context, initializer=_quiet)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _quiet() -> None:
    """Let modelled bugs of modelled fetchers go unlogged: they are the subject."""
    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asked hears it, and ends this one
