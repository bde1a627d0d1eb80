"""One request through the cache: hishel's states say what comes next, and this loop does it.

hishel is shown one kept answer at a time, and of that no dates: how old it is has been settled by `freshness`, because
hishel reads the machine's own clock and no Age. Imports hishel, and multidict, which comes with aiohttp.
"""

import uuid
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Protocol, TypeVar

import hishel
from multidict import CIMultiDict

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.ports import StoredResponse
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.web.caching.arrival import Arrival, may_be_kept
from data_source_orchestrator.web.caching.asked import Asked
from data_source_orchestrator.web.caching.freshness import UNUSABLE, Freshness, age_of, freshness_of
from data_source_orchestrator.web.caching.shelf import Shelf
from data_source_orchestrator.web.caching.storable import variant_of
from data_source_orchestrator.web.policy import HttpPolicy
from data_source_orchestrator.web.response import Response

T = TypeVar("T")

_OPTIONS = hishel.CacheOptions(shared=True, supported_methods=["GET"], allow_stale=False)
_ID = uuid.UUID(int=0)
"""The name of the one kept answer that hishel is shown at a time."""

_UNREACHED = frozenset({FailureKind.SERVER, FailureKind.CONNECTION, FailureKind.TIMEOUT})
"""What RFC 5861 calls an error: a gateway before this upstream would answer 500, 502, 503 or 504."""

_OURS = frozenset({"cache-control", "date", "expires", "vary"})
"""Headers whose meaning is settled before hishel looks at a kept answer."""


class Send(Protocol):
    """Sends the request, under conditions, and returns its accepted answer; raises `FetchError`."""

    def __call__(self, conditions: Mapping[str, str], /) -> Awaitable[Response]:
        """Return what was answered; 304 without a body where no condition holds."""
        ...


class Turn:
    """One request on its way through hishel's states, to be run once."""

    def __init__(self, asked: Asked, send: Send, shelf: Shelf, clock: Clock, policy: HttpPolicy) -> None:
        self._asked = asked
        self._send = send
        self._shelf = shelf
        self._clock = clock
        self._policy = policy
        self._kept: StoredResponse | None = None
        self._arrival: Arrival | None = None

    async def run(self) -> Response:
        """Return the answer, or what may stand in for it."""
        self._kept = await self._find()
        try:
            if self._kept is None:
                return await self._first()
            return await self._follow(hishel.IdleClient(options=_OPTIONS).next(self._request(), [self._shown()]))
        except FetchError as error:
            return self._in_place_of(error)

    async def _first(self) -> Response:
        """Ask for what is not kept yet; what could never be used again is not worth a look at what it says."""
        arrival = await self._ask({})
        if arrival.is_useless:
            return arrival.answer
        miss = hishel.CacheMiss(options=_OPTIONS, request=self._request())
        return await self._follow(miss.next(_shown_to_hishel(arrival.answer)))

    async def _follow(self, state: hishel.State) -> Response:
        while True:
            match state:
                case hishel.CacheMiss():
                    state = state.next(_shown_to_hishel((await self._ask({})).answer))
                case hishel.NeedRevalidation():
                    state = await self._revalidate(state)
                case hishel.InvalidateEntries():
                    await self._let_go(state.entry_ids)
                    state = state.next()
                case hishel.NeedToBeUpdated():
                    lines = _lines(state.updating_entries[-1].response.headers)
                    self._kept = _there(self._arrival).confirming(_there(self._kept), lines)
                    state = state.next()
                case hishel.FromCache():
                    return await self._use()
                case hishel.StoreAndUse():
                    return await self._keep(state.response.headers)
                case hishel.CouldNotBeStored():
                    return await self._pass_on()
                case _:
                    raise AssertionError(f"hishel has a state that this cache does not know: {state!r}")

    async def _find(self) -> StoredResponse | None:
        """Return the newest answer that is kept and fits what was sent."""
        kept = await self._shelf.get(self._asked.url)
        return max(filter(self._fits, kept), key=lambda one: one.received_at, default=None)

    def _fits(self, kept: StoredResponse) -> bool:
        """Return whether a kept answer is one to this very request, and no larger than is accepted."""
        asked = self._asked
        most = self._policy.max_body if asked.max_body is None else min(asked.max_body, self._policy.max_body)
        return len(kept.body) <= most and kept.variant == variant_of(kept.vary, asked.sent)

    def _request(self) -> hishel.Request:
        """Return what hishel is shown of the request: what chooses a variant has been compared before."""
        return hishel.Request("GET", self._asked.url)

    def _shown(self) -> hishel.Entry:
        """Return what hishel is shown of the kept answer: whether it is fresh, and how it may be confirmed."""
        kept, asked = _there(self._kept), self._asked
        standing = UNUSABLE if asked.insists else self._standing(kept)
        usable = standing.fresh and (asked.max_age is None or standing.age <= asked.max_age)
        lines = [line for line in kept.headers if line[0] not in _OURS]
        return self._entry([*lines, ("cache-control", f"max-age={int(usable)}")])

    def _standing(self, kept: StoredResponse) -> Freshness:
        """Return how old the kept answer is; one that another address gave is good for nothing without asking."""
        return freshness_of(kept, self._clock.now()) if kept.url == self._asked.url else UNUSABLE

    def _entry(self, lines: Iterable[tuple[str, str]]) -> hishel.Entry:
        return hishel.Entry(_ID, self._request(), hishel.Response(HTTPStatus.OK, _headers(lines)))

    async def _revalidate(self, state: hishel.NeedRevalidation) -> hishel.State:
        kept = _there(self._kept)
        conditions = {name: value for name, value in state.request.headers.items() if name.startswith("if-")}
        answer = (await self._ask(conditions)).answer
        if answer.status == HTTPStatus.NOT_MODIFIED and answer.url != kept.url:
            # Another address has said that its own answer is unchanged.
            again = hishel.CacheMiss(options=_OPTIONS, request=state.original_request)
            return hishel.InvalidateEntries(options=_OPTIONS, entry_ids=[_ID], next_state=again)
        return replace(state, revalidating_entries=[self._entry(kept.headers)]).next(_shown_to_hishel(answer))

    async def _ask(self, conditions: Mapping[str, str]) -> Arrival:
        requested_at = self._clock.now()
        answer = await self._send(conditions)
        self._arrival = arrival = Arrival(answer, requested_at, self._clock.now())
        return arrival

    async def _let_go(self, ids: list[uuid.UUID]) -> None:
        if ids and self._kept is not None:
            await self._shelf.remove(self._kept.address, self._kept.variant)
            self._kept = None

    async def _use(self) -> Response:
        """Return the kept answer, which is now the one used last; a 304 may have said to keep it no longer."""
        kept, confirmed = _there(self._kept), self._arrival is not None
        if confirmed and not may_be_kept(self._asked, kept.headers, kept.url):
            await self._let_go([_ID])
        else:
            await self._shelf.refresh(kept)
        return self._served(kept, revalidated=confirmed)

    async def _keep(self, headers: hishel.Headers) -> Response:
        """Keep the new answer where nothing speaks against it, and return it."""
        arrival, before = _there(self._arrival), self._kept
        stored = arrival.to_keep(self._asked, _lines(headers), self._policy.cache_entry_bytes)
        if stored is None:
            return await self._pass_on()
        if before is not None and before.variant != stored.variant:
            await self._let_go([_ID])
        if before is not None and (before.variant, before.digest) == (stored.variant, stored.digest):
            await self._shelf.refresh(stored)
        else:
            await self._shelf.put(stored)
        return replace(arrival.answer, known_digest=stored.digest, kept_as=(stored.address, stored.variant))

    async def _pass_on(self) -> Response:
        """Return the new answer without keeping it; what was kept before is out of date."""
        await self._let_go([_ID])
        return _there(self._arrival).answer

    def _in_place_of(self, error: FetchError) -> Response:
        """Return the kept answer where its own headers let it stand in for such a failure, or raise that."""
        kept = self._kept
        unreached = error.kind in _UNREACHED or error.truncated
        allowed = unreached and not self._asked.insists
        if kept is None or not allowed or not self._standing(kept).may_stand_in:
            raise error
        return replace(self._served(kept, revalidated=False), instead_of=error)

    def _served(self, kept: StoredResponse, *, revalidated: bool) -> Response:
        return Response(
            url=kept.url,
            status=kept.status,
            headers=CIMultiDict(kept.headers),
            body=kept.body,
            from_cache=True,
            revalidated=revalidated,
            age=age_of(kept, self._clock.now()),
            known_digest=kept.digest,
            kept_as=(kept.address, kept.variant),
            max_json_depth=self._policy.max_json_depth,
            max_json_nodes=self._policy.max_json_nodes,
        )


def _there(thing: T | None) -> T:
    """Return what is there in this state: hishel was shown a kept answer, or upstream was asked."""
    if thing is None:
        raise AssertionError("hishel goes on as if it had been shown what it was not")
    return thing


def _shown_to_hishel(answer: Response) -> hishel.Response:
    return hishel.Response(answer.status, _headers(answer.headers.items()))


def _headers(lines: Iterable[tuple[str, str]]) -> hishel.Headers:
    lists: dict[str, list[str]] = {}
    for name, value in lines:
        lists.setdefault(name.lower(), []).append(value)
    return hishel.Headers(lists)


def _lines(headers: hishel.Headers) -> Iterator[tuple[str, str]]:
    return ((name, line) for name in headers for line in headers.get_list(name) or ())
