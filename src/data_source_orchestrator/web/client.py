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
from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.context import HttpResponse
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.threads import FETCHER_THREAD
from data_source_orchestrator.web.allowance import parse_allowance
from data_source_orchestrator.web.answer import Answer, Asker
from data_source_orchestrator.web.daemon import in_daemon_thread
from data_source_orchestrator.web.decoding import Body
from data_source_orchestrator.web.get import Get
from data_source_orchestrator.web.judgement import HEAD, challenge, is_challenge, judge, needs_head
from data_source_orchestrator.web.policy import KIB, HttpPolicy
from data_source_orchestrator.web.response import Response

if TYPE_CHECKING:
    from data_source_orchestrator.web.caching.loop import HttpCache

HEAD_PATIENCE = 2.0
"""Seconds for the first bytes of an error's body; after them the error is judged by its status alone."""


PARSED_AT_ONCE = 256 * KIB
"""Bytes of a JSON body that is parsed on the event loop, which takes some hundredths of a second at the worst.

A larger one is parsed in a daemon thread, for a few megabytes can be written so that they take a second.
"""


NO_CONDITIONS: Mapping[str, str] = MappingProxyType({})


class Client:
    """One attempt's `HttpClient`; all that its calls raise is `FetchError`, of these kinds.

    timeout (no connection within the policy's time, status 408), connection (DNS, refused, reset, TLS, a proxy in
    the way), server (5xx), rate_limited (429, or 403 with a wait), blocked (challenge page; redirect to a scheme
    or an address that an upstream may not send us to), client (other 4xx, redirects in a circle or too many, no
    address), content (over a cap, broken or unknown encoding, no HTTP; `truncated` where a body ended early),
    bug (parameters or headers that cannot be sent). Without aiohttp, or outside `HttpPool.use()`: `ConfigurationError`.
    """

    __slots__ = ("_answered", "_asker", "_cache", "_clock", "_confirmed", "_observed", "_policy", "_received", "_total")

    def __init__(  # noqa: PLR0913 — each is another thing that is handed in
        self,
        asker: Callable[[], Awaitable[Asker]],
        policy: HttpPolicy,
        *,
        clock: Clock,
        received: Callable[[int], None],
        observed: Callable[[Allowance], None] | None,
        answered: Callable[[HttpResponse], None] | None,
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
        self._answered = answered
        self._total = 0

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        max_body: int | None = None,
    ) -> Response:
        """Return the accepted answer to a GET, wholly read; `params` are added to the address's own.

        `max_body` lowers the policy's cap on the decoded body, in bytes, to what this address may need.
        """
        answer = await self._get(Get(url, params, headers, max_body))
        if self._answered is not None:
            self._answered(answer)
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
    ) -> str:
        """Return the text served there (`Response.text`)."""
        response = await self.get(url, params=params, headers=headers, max_body=max_body)
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

    async def check(self, url: str) -> None:
        """Ask, judge the status and the first bytes, and hang up without the rest."""
        asker = await self._asker()
        async with asker.ask(url, None, None) as answer:
            await self._accept(answer)
            head = Body(answer.headers, self._policy, answer.url)
            await self._feed(answer, head)
            if is_challenge(answer.status, answer.headers, head.so_far):
                raise challenge(answer.url)

    async def _get(self, get: Get) -> Response:
        asker = await self._asker()
        cache = self._cache()
        if cache is None:
            return await self._ask(asker, get)

        def send(conditions: Mapping[str, str]) -> Awaitable[Response]:
            return self._ask(asker, get.under(conditions), conditions)

        return await cache.get(get, send, confirmed=self._confirmed)

    async def _ask(self, asker: Asker, get: Get, conditions: Mapping[str, str] = NO_CONDITIONS) -> Response:
        """Return upstream's own accepted answer; 304 is one where there are conditions."""
        async with asker.ask(get.url, get.params, get.headers) as answer:
            if conditions and answer.status == HTTPStatus.NOT_MODIFIED:
                self._observe(answer)
                return Response(url=answer.url, status=answer.status, headers=answer.headers, body=b"")
            await self._accept(answer)
            body = await self._whole(answer, get.max_body)
        if is_challenge(answer.status, answer.headers, body):
            raise challenge(answer.url)
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
        head = await self._error_head(answer) if needs_head(answer.status) else b""
        failure = judge(answer.status, answer.headers, head, url=answer.url, now=self._clock.now())
        if failure is not None:
            raise failure

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
