"""The client given to fetchers: asks once, judges what comes, and gives back data or a `FetchError`.

Never sleeps, never retries. Knows neither aiohttp nor sessions.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from data_source_orchestrator.core.allowance import Allowance
from data_source_orchestrator.core.classification import Classification
from data_source_orchestrator.core.classification.signs import HEAD
from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.served import Served
from data_source_orchestrator.core.threads import FETCHER_THREAD
from data_source_orchestrator.web.allowance import parse_allowance
from data_source_orchestrator.web.answer import Answer, Asker
from data_source_orchestrator.web.courtesy import Counted, Courtesy, Crawling, Told
from data_source_orchestrator.web.daemon import in_daemon_thread
from data_source_orchestrator.web.decoding import Body
from data_source_orchestrator.web.inspection import without_secrets
from data_source_orchestrator.web.judgement import COMMON, judge, needs_head
from data_source_orchestrator.web.policy import KIB, HttpPolicy
from data_source_orchestrator.web.response import Response
from data_source_orchestrator.web.robots import Robots
from data_source_orchestrator.web.robots_reading import read_robots

HEAD_PATIENCE = 2.0
"""Seconds for the first bytes of an error's body; after them the error is judged by its status alone."""


PARSED_AT_ONCE = 256 * KIB
"""Bytes of a JSON body that is parsed on the event loop, which takes some hundredths of a second at the worst.

A larger one is parsed in a daemon thread, for a few megabytes can be written so that they take a second.
"""


_GOOD = range(200, 300)


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
        "_clock",
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
    ) -> None:
        self._asker = asker
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
        asker = await self._asker()
        async with asker.ask(url, params, headers, self._courtesy(asker, page=page)) as answer:
            await self._accept(answer)
            body = await self._whole(answer, max_body)
        self._look_through(answer, body)
        response = Response(
            url=answer.url,
            status=answer.status,
            headers=answer.headers,
            body=body,
            max_json_depth=self._policy.max_json_depth,
            max_json_nodes=self._policy.max_json_nodes,
        )
        if self._served is not None:
            self._served(without_secrets(response))
        return response

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
        if len(response.body) <= PARSED_AT_ONCE:
            return response.json()
        return await in_daemon_thread(response.json, name=f"{FETCHER_THREAD}json")

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
        return (await self.get(url, params=params, headers=headers, max_body=max_body, page=page)).text()

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

    async def _accept(self, answer: Answer) -> None:
        if self._observed is not None and (allowance := parse_allowance(answer.headers, self._clock.now())):
            self._observed(allowance)
        if answer.status in _GOOD:
            return  # its body is looked through when it is there
        head = await self._error_head(answer) if needs_head(answer.status, self._own) else b""
        self._look_through(answer, head)

    def _look_through(self, answer: Answer, body: bytes) -> None:
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
