"""The HTTP cache as a client sees it: asks for an answer, by way of what is kept.

Loaded with the first session, for it imports hishel and what comes with aiohttp.
"""

from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.web.caching.asked import asked_of
from data_source_orchestrator.web.caching.shelf import Shelf
from data_source_orchestrator.web.caching.turn import Send, Turn
from data_source_orchestrator.web.get import Get
from data_source_orchestrator.web.introduction import user_agent
from data_source_orchestrator.web.policy import HttpPolicy
from data_source_orchestrator.web.response import Response
from data_source_orchestrator.web.wire import ANYTHING


class HttpCache:
    """Gives kept answers where RFC 9111 allows that, and asks for all others, under conditions where it can."""

    def __init__(self, shelf: Shelf, *, clock: Clock, policy: HttpPolicy) -> None:
        self._shelf = shelf
        self._clock = clock
        self._policy = policy
        self._defaults = {"accept": ANYTHING, "user-agent": user_agent(policy)}

    async def get(self, get: Get, send: Send, *, confirmed: bool) -> Response:
        """Return an answer; one that is kept has to be `confirmed` now, or may be used as its headers say.

        Raises what `send` raises.
        """
        asked = asked_of(get, self._defaults, insists=confirmed)
        if asked is None:
            return await send({})
        return await Turn(asked, send, self._shelf, self._clock, self._policy).run()

    async def forget(self, answer: Response) -> None:
        """Let go of an answer that could not be read, so that it is not confirmed for ever."""
        if answer.kept_as is not None:
            await self._shelf.remove(*answer.kept_as)
