"""Where the time of our own side of a rung goes: by file, as samples of the running program show it.

`uv run python benchmarks/profiled.py [name ...]`. A timer of CPU time interrupts the program some hundred times a
second and notes where it is: other than a tracing profiler it makes small functions no dearer than they are. What the
garbage collector takes is noted apart.
"""

import asyncio
import gc
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Self

import breaker
import fanout
import guarded_call
import hung
import over_http
from loopback_server import served
from measure import CPU
from peers import Work

from data_source_orchestrator import guard

SECONDS = 3.0
"""CPU time for each of them."""

EVERY = 0.001
FILES, FUNCTIONS = 5, 8
"""How many of the largest shares are told."""

CALLS = 1_000

Prepare = Callable[[AsyncExitStack], Awaitable[Work]]


class Sampler:
    """Counts where the program is whenever so much CPU time has passed.

    The garbage collector is timed instead: during one of its runs no signal is handled, however long that takes.
    """

    def __init__(self) -> None:
        self.files: Counter[str] = Counter()
        self.functions: Counter[str] = Counter()
        self.collecting = 0.0
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._began = CPU()
        gc.callbacks.append(self._collect)
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_IGN)
        gc.callbacks.remove(self._collect)
        self.seconds = CPU() - self._began

    def _sample(self, _: int, frame: FrameType | None) -> None:
        if frame is None or frame.f_code is self._collect.__code__:
            return
        file = _named(frame.f_code.co_filename)
        self.files[file] += 1
        self.functions[f"{file}:{frame.f_code.co_qualname}"] += 1

    def _collect(self, phase: str, _: dict[str, int]) -> None:
        """Hear of the beginning and the end of a collection."""
        self.collecting += CPU() if phase == "stop" else -CPU()

    @property
    def collector(self) -> float:
        """The share of the time that the garbage collector took."""
        return self.collecting / self.seconds

    def told(self, counted: Counter[str], most: int) -> str:
        """Return the largest shares of the time in words."""
        rest = (1 - self.collector) / counted.total()
        return " · ".join(f"{name} {rest * number:.0%}" for name, number in counted.most_common(most))


def _named(file: str) -> str:
    """Return a file by its place in its package."""
    parts = Path(file).parts
    for root in ("data_source_orchestrator", "site-packages", "python3.11"):
        if root in parts:
            return "/".join(parts[len(parts) - parts[::-1].index(root) :])
    return parts[-1]


def repeated(work: Work) -> Prepare:
    """Return what prepares many calls of this."""

    async def calls() -> None:
        for _ in range(CALLS):
            await work()

    return partial(ready, calls)


async def ready(work: Work, _: AsyncExitStack) -> Work:
    """Return what needs no preparing."""
    return work


async def requests(opened: AsyncExitStack) -> Work:
    """Return many requests by our client."""
    url = await opened.enter_async_context(served())
    return over_http.gathered(await over_http.of_client(url, opened), over_http.MANY)


async def requests_by_engine(opened: AsyncExitStack) -> Work:
    """Return as many requests by the engine."""
    url = await opened.enter_async_context(served())
    return await over_http.of_engine(url, opened, over_http.MANY)


def prepared() -> dict[str, Prepare]:
    """Return everything that can be profiled."""
    refusing = guard("bench", breaker=breaker.opened())
    many = fanout.MANY
    return {
        "guarded-call": repeated(guarded_call.full()),
        "guard-alone": repeated(guarded_call.alone()),
        "refusal": repeated(partial(refusing.call, breaker.never)),
        "done-at-once": partial(ready, fanout.ours([fanout.instant] * many)),
        "one-suspension": partial(ready, fanout.ours([fanout.suspended] * many)),
        "sleeping": partial(ready, fanout.ours(fanout.sleepers(many))),
        "hung-own-limit": partial(ready, hung.ours(many, own=True)),
        "hung-run-limit": partial(ready, hung.ours(many, own=False)),
        "client": requests,
        "engine-over-client": requests_by_engine,
    }


async def sampled(prepare: Prepare) -> Sampler:
    """Run what was prepared again and again, and return where the program was."""
    async with AsyncExitStack() as opened:
        work = await prepare(opened)
        await work()
        gc.collect()
        gc.freeze()
        sampler, until = Sampler(), CPU() + SECONDS
        with sampler:
            while CPU() < until:
                await work()
        gc.unfreeze()
        return sampler


def rows() -> list[str]:
    """Profile everything, and return a table in Markdown."""
    table = ["| what | garbage collector | largest shares by file |", "|---|---|---|"]
    for name, prepare in prepared().items():
        sampler = asyncio.run(sampled(prepare))
        table.append(f"| {name} | {sampler.collector:.0%} | {sampler.told(sampler.files, FILES)} |")
    return table


def main() -> None:
    """Profile what is named, or everything, and print the functions too."""
    found = prepared()
    for name in sys.argv[1:] or found:
        sampler = asyncio.run(sampled(found[name]))
        print(f"{name}: garbage collector {sampler.collector:.0%}")
        print(f"  files: {sampler.told(sampler.files, FILES)}")
        print(f"  functions: {sampler.told(sampler.functions, FUNCTIONS)}\n")


if __name__ == "__main__":
    main()
