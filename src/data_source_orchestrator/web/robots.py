"""Whether a page may be asked for, by its origin's robots.txt: read once for all who ask, believed for half a day.

RFC 9309. It must not know how a request is sent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.clock import Clock
from data_source_orchestrator.core.errors import ConfigurationError, FetchError, NotAskedError
from data_source_orchestrator.core.verdicts import SkipReason
from data_source_orchestrator.web.daemon import in_daemon_thread
from data_source_orchestrator.web.redaction import shown
from data_source_orchestrator.web.robots_copy import FRESH, USABLE, RobotsCopy, copy_of, origin_of, worth_keeping

if TYPE_CHECKING:
    from data_source_orchestrator.web.robots_rules import RobotsRules

MOST_ORIGINS = 1000
"""Origins whose copies are held; beyond them the one read longest ago is let go."""

ReadFile = Callable[[str], Awaitable[str | None]]
"""Gives the robots.txt of an origin, None where it has none; raises `FetchError` where that cannot be known."""


@dataclass(slots=True)
class _Turn:
    """Those who want the same file at the same time, on one event loop: the first reads it for all."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    failed: int = 0
    error: FetchError | None = None


class Robots:
    """The robots.txt of every origin whose pages are read, for one product token."""

    def __init__(self, token: str, clock: Clock) -> None:
        self.token = token
        self._clock = clock
        self._copies: dict[str, RobotsCopy] = {}
        self._rules: dict[str, tuple[RobotsCopy, RobotsRules]] = {}
        self._turns: dict[asyncio.AbstractEventLoop, dict[str, _Turn]] = {}

    @property
    def copies(self) -> Mapping[str, RobotsCopy]:
        """What is known, by origin."""
        return dict(self._copies)

    @property
    def documents(self) -> dict[str, Json]:
        """What another process may be spared to ask, by origin."""
        return {origin: copy.document for origin, copy in worth_keeping(self._copies).items()}

    def take_over(self, documents: Mapping[str, Json]) -> None:
        """Take over what another process has read later than this one."""
        for origin, document in documents.items():
            copy, known = copy_of(document), self._copies.get(origin)
            if copy is not None and (known is None or known.read_at < copy.read_at):
                self._keep(origin, copy)

    async def admit(self, url: str, read: ReadFile) -> float | None:
        """Return the seconds that the file wants between two requests, or raise why this address is not asked for.

        `NotAskedError` where the file forbids it; `FetchError` where it cannot be read and no copy of the last day is
        known, which means the same until it can.
        """
        origin = origin_of(url)
        copy = await self._copy(origin, read)
        if copy.text is None:
            return None
        rules = await self._rules_of(origin, copy, copy.text)
        if not rules.allows(url):
            raise NotAskedError(SkipReason.ROBOTS, _forbidden(url, origin, self.token))
        return rules.crawl_delay

    async def rules_of(self, origin: str) -> "RobotsRules | None":
        """Return what a known file says, None where there is none or it is not known."""
        copy = self._copies.get(origin)
        return None if copy is None or copy.text is None else await self._rules_of(origin, copy, copy.text)

    async def _copy(self, origin: str, read: ReadFile) -> RobotsCopy:
        known = self._copies.get(origin)
        if known is not None and known.is_within(FRESH, self._clock.now()):
            return known
        turn = self._turn(origin)
        failed = turn.failed
        async with turn.lock:
            known = self._copies.get(origin)
            if known is not None and known.is_within(FRESH, self._clock.now()):
                return known  # somebody has read it meanwhile
            if turn.failed != failed and turn.error is not None:
                return self._stale_or(known, turn.error)
            try:
                text = await read(origin)
            except FetchError as error:
                turn.failed, turn.error = turn.failed + 1, error
                self._end(turn, origin)
                return self._stale_or(known, error)
            self._end(turn, origin)
            return self._keep_read(origin, known, text)

    def _stale_or(self, known: RobotsCopy | None, error: FetchError) -> RobotsCopy:
        """Return a copy of the last day; without one nothing may be asked."""
        if known is not None and known.is_within(USABLE, self._clock.now()):
            return known
        raise FetchError(
            error.kind,
            f"no page is asked for while robots.txt cannot be read: {error}",
            retry_after=error.retry_after,
            truncated=error.truncated,
        ) from None

    def _keep_read(self, origin: str, known: RobotsCopy | None, text: str | None) -> RobotsCopy:
        now = self._clock.now()
        copy = RobotsCopy(read_at=now, since=now, text=text) if known is None else known.read_again(text, now)
        self._keep(origin, copy)
        return copy

    def _keep(self, origin: str, copy: RobotsCopy) -> None:
        self._copies[origin] = copy
        if len(self._copies) > MOST_ORIGINS:
            oldest = min(self._copies, key=lambda each: self._copies[each].read_at)
            del self._copies[oldest]
            self._rules.pop(oldest, None)

    async def _rules_of(self, origin: str, copy: RobotsCopy, text: str) -> "RobotsRules":
        """Return the rules of a copy, made once; the largest file takes some tenths of a second."""
        known = self._rules.get(origin)
        if known is not None and known[0].text == text:
            return known[1]
        rules = await in_daemon_thread(lambda: _parsed(text, self.token), name="dso-robots")
        self._rules[origin] = copy, rules
        return rules

    def _end(self, turn: _Turn, origin: str) -> None:
        """Let whoever comes from now on begin a turn of their own; those who stand in this one know how it ended."""
        turns = self._turns[asyncio.get_running_loop()]
        if turns.get(origin) is turn:
            del turns[origin]

    def _turn(self, origin: str) -> _Turn:
        loop = asyncio.get_running_loop()
        if loop not in self._turns:
            self._turns = {known: turns for known, turns in self._turns.items() if not known.is_closed()}
        return self._turns.setdefault(loop, {}).setdefault(origin, _Turn())


def _parsed(text: str, token: str) -> "RobotsRules":
    try:
        from data_source_orchestrator.web.robots_rules import RobotsRules  # noqa: PLC0415 — Protego is an extra
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"reading robots.txt needs the package {error.name}, which is not installed;"
            " install data-source-orchestrator[http]"
        ) from None
    return RobotsRules(text, token)


def _forbidden(url: str, origin: str, token: str) -> str:
    return (
        f"{origin}/robots.txt does not allow {token} to ask for {shown(url)}; where its owner has allowed it otherwise,"
        " set robots = false for this source and say so in robots_reason"
    )
