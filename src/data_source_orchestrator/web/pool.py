"""One HTTP session per event loop, opened at the first request and closed when its last user leaves.

Knows when a session lives, not what is asked through it.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from data_source_orchestrator.core.allowance import Allowance
from data_source_orchestrator.core.classification import Classification
from data_source_orchestrator.core.clock import Clock, SystemClock
from data_source_orchestrator.core.context import HttpClient
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.ports import ResponseStore
from data_source_orchestrator.core.served import Served
from data_source_orchestrator.web.answer import Asker
from data_source_orchestrator.web.caching.memory import MemoryResponses
from data_source_orchestrator.web.caching.shelf import Shelf
from data_source_orchestrator.web.client import Client
from data_source_orchestrator.web.courtesy import Told
from data_source_orchestrator.web.daemon import in_daemon_thread
from data_source_orchestrator.web.introduction import product_token, user_agent
from data_source_orchestrator.web.judgement import COMMON
from data_source_orchestrator.web.policy import HttpPolicy
from data_source_orchestrator.web.robots import Robots

if TYPE_CHECKING:
    from data_source_orchestrator.web.caching.loop import HttpCache
    from data_source_orchestrator.web.wire import Wire


def _nobody_counts(_total: int) -> None:
    """Hear of bytes that nobody counts."""


class HttpPool:
    """Where HTTP clients come from; works over successive `asyncio.run` calls and in several threads.

    Inside `async with pool.use():`, `await pool.client().get_json(url)` is all that a program needs. Where the policy
    has a cache, answers are kept in `responses`, by default in memory.
    """

    def __init__(
        self, policy: HttpPolicy = HttpPolicy(), *, clock: Clock | None = None, responses: ResponseStore | None = None
    ) -> None:
        self._policy = policy
        self._clock = clock = clock or SystemClock()
        self.robots = Robots(product_token(user_agent(policy)), clock)
        """What is known of the robots.txt of every site whose pages were asked for."""
        self._responses = responses or MemoryResponses(max_bytes=policy.cache_bytes)
        self._cache: HttpCache | None = None
        self._tenancies: dict[asyncio.AbstractEventLoop, _Tenancy] = {}
        self._tls: ssl.SSLContext | None = None

    @property
    def user_agent(self) -> str:
        """The line by which every request says who asks."""
        return user_agent(self._policy)

    @asynccontextmanager
    async def use(self) -> AsyncIterator[None]:
        """Count as a user of the running loop's session, which closes when nobody is left."""
        loop = asyncio.get_running_loop()
        tenancy = self._tenancies.setdefault(loop, _Tenancy())
        tenancy.users += 1
        try:
            yield
        finally:
            tenancy.users -= 1
            if tenancy.users == 0:
                del self._tenancies[loop]
                await tenancy.close()

    def client(  # noqa: PLR0913 — each is another thing that is handed in
        self,
        *,
        received: Callable[[int], None] = _nobody_counts,
        observed: Callable[[Allowance], None] | None = None,
        served: Callable[[Served], None] | None = None,
        told: Told | None = None,
        delayed: Callable[[float], None] | None = None,
        robots: bool = True,
        own: Classification = COMMON,
        confirmed: bool = False,
    ) -> HttpClient:
        """Return a client for one attempt.

        `received` is told the attempt's bytes off the wire as they grow, `observed` what an upstream says is left of
        our allowance, `served` each accepted answer, without secrets, `told` of every request that has ended, and
        `delayed` the seconds for which an upstream wants to be left alone, by a refusal, or by its robots.txt after a
        request for a page. Without `robots` pages are asked for whatever robots.txt says. `own` is what its source
        knows of the upstream's answers beyond the common table. With `confirmed` a kept answer is used only where
        upstream, asked now, confirms it, and every failure is raised; else for as long as its own headers allow.
        """
        return Client(
            self._asker,
            self._policy,
            clock=self._clock,
            received=received,
            observed=observed,
            served=served,
            told=told,
            robots=self.robots if robots else None,
            delayed=delayed,
            own=own,
            cache=lambda: self._cache,
            confirmed=confirmed,
        )

    async def prepare(self) -> None:
        """Open the running loop's session before its first request, which then takes no longer than its upstream.

        Call it inside `use()`; without the HTTP library it does nothing, for nobody may ever make a request.
        """
        with contextlib.suppress(ConfigurationError):
            await self._asker()

    async def _asker(self) -> Asker:
        tenancy = self._tenancies.get(asyncio.get_running_loop())
        if tenancy is None:
            raise _not_open()
        return tenancy.asker or await tenancy.open(self._open)

    async def _open(self) -> Asker:
        # aiohttp takes a fifth of a second to import, and certificates their time to be read: not on the loop.
        wire, tls = await in_daemon_thread(self._load)
        return wire(self._policy, tls)

    def _load(self) -> "tuple[type[Wire], ssl.SSLContext]":
        wire = _import_wire()
        if self._tls is None:
            self._tls = _trusted_certificates()
        if self._cache is None and self._policy.cache:
            shelf = Shelf(self._responses, clock=self._clock)
            self._cache = _import_cache()(shelf, clock=self._clock, policy=self._policy)
        return wire, self._tls


class _Tenancy:
    """One loop's session, and how many use it."""

    def __init__(self) -> None:
        self.users = 0
        self.asker: Asker | None = None
        self._opening = asyncio.Lock()

    async def open(self, make: Callable[[], Awaitable[Asker]]) -> Asker:
        async with self._opening:
            if self.asker is None:
                self.asker = await make()
            if self.users == 0:  # the last user left meanwhile, and only an abandoned fetcher still asks
                await self.close()
                raise _not_open()
            return self.asker

    async def close(self) -> None:
        if self.asker is not None:
            await self.asker.close()


def _not_open() -> ConfigurationError:
    return ConfigurationError("no HTTP session is open here; make requests inside `async with pool.use():`")


def _import_wire() -> "type[Wire]":
    try:
        from data_source_orchestrator.web.wire import Wire  # noqa: PLC0415 — aiohttp is an extra, loaded when needed
    except ModuleNotFoundError as error:
        raise _not_installed("requests over HTTP need", error) from None
    return Wire


def _import_cache() -> "type[HttpCache]":
    try:
        from data_source_orchestrator.web.caching.loop import HttpCache  # noqa: PLC0415 — the same of hishel
    except ModuleNotFoundError as error:
        raise _not_installed("http.cache needs", error) from None
    return HttpCache


def _not_installed(what: str, error: ModuleNotFoundError) -> ConfigurationError:
    return ConfigurationError(
        f"{what} the package {error.name}, which is not installed; install data-source-orchestrator[http]"
    )


def _trusted_certificates() -> ssl.SSLContext:
    """Return what verifies upstreams: the system's authorities, or those that SSL_CERT_FILE names."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
