"""The running sandbox: three origins on loopback, and the switches that can be thrown while they run."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from typing import Self

from cod_sources.sandbox.answers import HTML, Answer, Request, fault, robots, wrong_method
from cod_sources.sandbox.faults import parse, parse_all
from cod_sources.sandbox.origins import ORIGINS, Origin, index
from cod_sources.sandbox.wire import HOST, Listener
from data_source_orchestrator.core.clock import Chance, Clock, SystemClock, system_chance
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.plugin import Environment

SEED = 20260301
"""What every sandbox draws its errors from, so that two runs meet the same ones."""

LAST_PORT = 65535


class Sandbox:
    """The three made-up upstreams; an async context manager that serves while it is open.

    `port` is the first of three in a row, 0 takes any that are free. `requests` counts by source key; the index
    page at / is neither counted nor touched by any fault.
    """

    def __init__(
        self,
        *,
        faults: Mapping[str, str] | None = None,
        port: int = 0,
        clock: Clock | None = None,
        chance: Chance | None = None,
    ) -> None:
        self._thrown = parse_all(faults or {})
        self._ports = _ports(port)
        self._clock = clock or SystemClock()
        self._chance = chance or system_chance(SEED)
        self._open = AsyncExitStack()
        self._variables: dict[str, str] = {}
        self.requests: Counter[str] = Counter()

    @property
    def variables(self) -> Environment:
        """The variables that point the sources here; empty unless serving."""
        return MappingProxyType(dict(self._variables))

    def set_fault(self, key: str, spec: str) -> None:
        """Throw these switches for a source from its next request on, in place of the ones before; "" throws none."""
        self._thrown[key] = parse(key, spec)

    async def __aenter__(self) -> Self:
        variables: dict[str, str] = {}
        async with AsyncExitStack() as opened:
            for origin, port in zip(ORIGINS, self._ports, strict=True):
                listener = Listener(partial(self._respond, origin), self._clock)
                opened.push_async_callback(listener.close)
                url = f"http://{HOST}:{await listener.open(port)}"
                variables |= dict.fromkeys(origin.variables, url)
            self._open, self._variables = opened.pop_all(), variables
        return self

    async def __aexit__(self, *_: object) -> None:
        self._variables = {}
        await self._open.aclose()

    async def _respond(self, origin: Origin, request: Request) -> Answer:
        if request.method not in ("GET", "HEAD"):
            return wrong_method()
        thrown = self._thrown[origin.key]
        if request.path == "/":
            text = index(origin, thrown, self._variables)
            return Answer(status=HTTPStatus.OK, headers={"content-type": HTML}, body=text.encode())
        if request.path == "/robots.txt":
            return robots(thrown)
        self.requests[origin.key] += 1
        if "latency" in thrown:
            await self._clock.sleep(thrown["latency"])
        draw = self._chance.random() if "error_rate" in thrown else 1.0
        return fault(thrown, draw) or origin.answer(request, thrown)


@asynccontextmanager
async def serve(*, faults: Mapping[str, str], port: int) -> AsyncIterator[Environment]:
    """Serve the three upstreams on loopback until the context ends, and give the variables that point there.

    `faults` are switches by source key, as `FAULTS` tells them, several joined by `+`; `port` is the first of three
    in a row, 0 takes any that are free. Raises `ConfigurationError` for either.
    """
    async with Sandbox(faults=faults, port=port) as sandbox:
        yield sandbox.variables


def _ports(first: object) -> tuple[int, ...]:
    highest = LAST_PORT - len(ORIGINS) + 1
    if isinstance(first, bool) or not isinstance(first, int) or not 0 <= first <= highest:
        raise ConfigurationError(
            f"the sandbox's port is {first!r}; give the first of {len(ORIGINS)} free ports in a row,"
            f" from 1 to {highest}, or 0 for any that are free"
        )
    return tuple(first + place if first else 0 for place in range(len(ORIGINS)))
