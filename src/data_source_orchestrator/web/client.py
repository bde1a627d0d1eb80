"""The client given to fetchers: asks once, judges what comes, and gives back data or a `FetchError`.

Never sleeps, never retries. Knows neither aiohttp nor sessions.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from data_source_orchestrator.core.allowance import Allowance
from data_source_orchestrator.core.classification import Classification
from data_source_orchestrator.core.classification.signs import HEAD
from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.context import HttpResponse
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.served import Served
from data_source_orchestrator.core.threads import FETCHER_THREAD
from data_source_orchestrator.web.allowance import parse_allowance
from data_source_orchestrator.web.answer import Answer, Asker
from data_source_orchestrator.web.courtesy import Counted, Courtesy, Crawling, Told
from data_source_orchestrator.web.daemon import in_daemon_thread
from data_source_orchestrator.web.decoding import Body
from data_source_orchestrator.web.get import Get
from data_source_orchestrator.web.inspection import without_secrets
from data_source_orchestrator.web.judgement import COMMON, judge, needs_head
from data_source_orchestrator.web.policy import KIB, HttpPolicy
from data_source_orchestrator.web.response import Response
from data_source_orchestrator.web.robots import Robots
from data_source_orchestrator.web.robots_reading import read_robots

if TYPE_CHECKING:
    from data_source_orchestrator.web.caching.loop import HttpCache

HEAD_PATIENCE = 2.0
"""Seconds for the first bytes of an error's body; after them the error is judged by its status alone."""


PARSED_AT_ONCE = 256 * KIB
"""Bytes of a JSON body that is parsed on the event loop, which takes some hundredths of a second at the worst.

A larger one is parsed in a daemon thread, for a few megabytes can be written so that they take a second.
"""


_GOOD = range(200, 300)

NO_CONDITIONS: Mapping[str, str] = MappingProxyType({})


class Client:
    """One attempt's `HttpClient`; all that its calls raise is `FetchError`, of these kinds.

    timeout (no connection within the policy's time, status 408), connection (DNS, refused, reset, TLS, a proxy in
    the way), server (5xx), rate_limited (429, or 403 with a wait), blocked (challenge page; redirect to a scheme
    or an address that an upstream may not send us to), client (other 4xx, redirects in a circle or too many, no
    address), content (over a cap, broken or unknown encoding, no HTTP; `truncated` where a body ended early),
    bug (parameters or headers that cannot be sent). A page that robots.txt forbids: `NotAskedError`. Without aiohttp,
    or outside `HttpPool.use()`: `ConfigurationError`.
    """

    __slots__ = (
        "_asker",
        "_cache",
        "_clock",
        "_confirmed",
        "_delayed",
        "_observed",
        "_own",
        "_policy",
        "_received",
        "_robots",
        "_served",
        "_told",
        "_total",
    )

    def __init__(  # noqa: PLR0913 — each is another thing that is handed in
        self,
        asker: Callable[[], Awaitable[Asker]],
        policy: HttpPolicy,
        *,
        clock: Clock,
        received: Callable[[int], None],
        observed: Callable[[Allowance], None] | None = None,
        served: Callable[[Served], None] | None = None,
        told: Told | None = None,
        robots: Robots | None = None,
        delayed: Callable[[float], None] | None = None,
        own: Classification = COMMON,
        cache: "Callable[[], HttpCache | None]",
        confirmed: bool,
    ) -> None:
        self._asker = asker
        self._cache = cache
        self._confirmed = confirmed
        self._policy = policy
        self._clock = clock
        self._received = received
        self._observed = observed
        self._served = served
        self._told = told
        self._robots = robots
        self._delayed = delayed
        self._own = own
        self._total = 0

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        max_body: int | None = None,
        page: bool = False,
    ) -> Response:
        """Return the accepted answer to a GET, wholly read; `params` are added to the address's own.

        `max_body` lowers the policy's cap on the decoded body, in bytes, to what this address may need. A `page` is
        asked for as its site's robots.txt allows, and so is every address that it redirects to.
        """
        answer = await self._get(Get(url, params, headers, max_body, page))
        if self._served is not None:
            self._served(without_secrets(answer))
        return answer

    async def get_json(
        self,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        max_body: int | None = None,
    ) -> Any:
        """Return the JSON value served there, read strictly (`Response.json`); a large body holds up nobody.

        A cancellation does not wait for the thread in which a large one is parsed.
        """
        response = await self.get(url, params=params, headers=headers, max_body=max_body)
        try:
            if len(response.body) <= PARSED_AT_ONCE:
                return response.json()
            return await in_daemon_thread(response.json, name=f"{FETCHER_THREAD}json")
        except FetchError:
            await self.forget(response)
            raise

    async def get_text(
        self,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        max_body: int | None = None,
        page: bool = False,
    ) -> str:
        """Return the text served there (`Response.text`)."""
        response = await self.get(url, params=params, headers=headers, max_body=max_body, page=page)
        try:
            return response.text()
        except FetchError:
            await self.forget(response)
            raise

    async def forget(self, answer: HttpResponse) -> None:
        """Let the cache go of an answer that turned out to be no data, so that upstream does not just confirm it."""
        cache = self._cache()
        if cache is not None and isinstance(answer, Response):
            await cache.forget(answer)

    async def check(self, url: str, *, page: bool = False) -> None:
        """Ask, judge the status and the first bytes, and hang up without the rest."""
        asker = await self._asker()
        async with asker.ask(url, None, None, self._courtesy(asker, page=page)) as answer:
            await self._accept(answer)
            head = Body(answer.headers, self._policy, answer.url)
            await self._feed(answer, head)
            self._look_through(answer, head.so_far)

    def _courtesy(self, asker: Asker, *, page: bool) -> Courtesy:
        robots = self._robots
        if robots is None or not page:
            return Counted(self._told, self._clock)

        async def read(origin: str) -> str | None:
            counted = Counted(self._told, self._clock, robots=True)
            return await read_robots(asker, origin, counted, self._policy, now=self._clock.now())

        async def admitted(url: str) -> None:
            delay = await robots.admit(url, read)
            if delay is not None:
                self._leave_alone(delay)

        return Crawling(self._told, self._clock, admitted=admitted)

    async def _get(self, get: Get) -> Response:
        asker = await self._asker()
        cache = self._cache()
        if cache is None:
            return await self._ask(asker, get)

        def send(conditions: Mapping[str, str]) -> Awaitable[Response]:
            return self._ask(asker, get.under(conditions), conditions)

        answer = await cache.get(get, send, confirmed=self._confirmed)
        if answer.from_cache:
            await self._judge_kept(answer)
        return answer

    async def _judge_kept(self, answer: Response) -> None:
        """Raise what a kept answer fails with: its signs may be this source's own, or be newer than it is."""
        try:
            self._look_through(answer, answer.body)
        except FetchError:
            await self.forget(answer)
            raise

    async def _ask(self, asker: Asker, get: Get, conditions: Mapping[str, str] = NO_CONDITIONS) -> Response:
        """Return upstream's own accepted answer; 304 is one where there are conditions."""
        courtesy = self._courtesy(asker, page=get.page)
        async with asker.ask(get.url, get.params, get.headers, courtesy) as answer:
            if conditions and answer.status == HTTPStatus.NOT_MODIFIED:
                self._observe(answer)
                return Response(url=answer.url, status=answer.status, headers=answer.headers, body=b"")
            await self._accept(answer)
            body = await self._whole(answer, get.max_body)
        self._look_through(answer, body)
        return Response(
            url=answer.url,
            status=answer.status,
            headers=answer.headers,
            body=body,
            max_json_depth=self._policy.max_json_depth,
            max_json_nodes=self._policy.max_json_nodes,
        )

    async def _accept(self, answer: Answer) -> None:
        self._observe(answer)
        if answer.status in _GOOD:
            return  # its body is looked through when it is there
        head = await self._error_head(answer) if needs_head(answer.status, self._own) else b""
        self._look_through(answer, head)

    def _look_through(self, answer: Answer | Response, body: bytes) -> None:
        """Raise what an answer fails with, by its status, its headers and what its body begins with."""
        now = self._clock.now()
        failure = judge(answer.status, answer.headers, body[:HEAD], url=answer.url, now=now, own=self._own)
        if failure is None:
            return
        if failure.retry_after is not None:
            self._leave_alone(failure.retry_after)  # also where the fetcher can do without this answer
        raise failure

    def _leave_alone(self, seconds: float) -> None:
        if self._delayed is not None:
            self._delayed(seconds)

    def _observe(self, answer: Answer) -> None:
        if self._observed is not None and (allowance := parse_allowance(answer.headers, self._clock.now())):
            self._observed(allowance)

    async def _error_head(self, answer: Answer) -> bytes:
        """Return what an error's body begins with; one that is slow, cut or broken says nothing more."""
        try:
            body = Body(answer.headers, self._policy, answer.url)
        except FetchError:
            return b""
        with suppress(FetchError, TimeoutError):
            async with asyncio.timeout(HEAD_PATIENCE):
                while len(body.so_far) < HEAD and await self._feed(answer, body):
                    pass
        return body.so_far[:HEAD]

    async def _whole(self, answer: Answer, max_body: int | None) -> bytes:
        body = Body(answer.headers, self._policy, answer.url, max_body)
        while await self._feed(answer, body):
            pass
        return body.finish()

    async def _feed(self, answer: Answer, body: Body) -> bool:
        """Move what has arrived into the body; return whether more may follow."""
        data = await answer.more()
        if data:
            self._total += len(data)
            self._received(self._total)
            body.feed(data)
        return bool(data)
