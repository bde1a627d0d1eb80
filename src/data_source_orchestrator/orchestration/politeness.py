"""What can be shown to a site's owner: what was asked of each host, within which limits, and by which robots.txt."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from data_source_orchestrator.core.policies import LimitPolicy
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.fanout.coordinator import SourceCoordinator
from data_source_orchestrator.health.traffic import SourceTraffic
from data_source_orchestrator.web.robots import Robots
from data_source_orchestrator.web.robots_copy import RobotsCopy


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsFile:
    """What is known of a site's robots.txt, and since when it has said that.

    Where it does not `exist`, every page may be asked for. `crawl_delay` is the seconds that it wants between two
    requests.
    """

    origin: str
    exists: bool
    read_at: datetime
    since: datetime
    crawl_delay: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePoliteness:
    """What a source asked; `limits` are those of the host that it names, None where there are none."""

    source: Source[Any]
    traffic: SourceTraffic
    limits: LimitPolicy | None
    robots: tuple[RobotsFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Politeness:
    """What every source asked, by key, and the line with which each request said who was asking."""

    user_agent: str
    sources: Mapping[str, SourcePoliteness]


async def politeness(
    coordinator: SourceCoordinator, traffic: Mapping[str, SourceTraffic], robots: Robots, user_agent: str
) -> Politeness:
    """Return the report on all sources, by ascending priority."""
    sources: dict[str, SourcePoliteness] = {}
    for source in coordinator.get_all_sources():
        asked = traffic.get(source.key, SourceTraffic())
        sources[source.key] = SourcePoliteness(
            source=source,
            traffic=asked,
            limits=None if source.host is None else coordinator.host_limits(source.host),
            robots=await _files(robots, asked),
        )
    return Politeness(user_agent=user_agent, sources=sources)


async def _files(robots: Robots, asked: SourceTraffic) -> tuple[RobotsFile, ...]:
    """Return the files of the sites of which this source has asked for them."""
    read = {host for host, traffic in asked.hosts.items() if traffic.robots}
    copies = sorted((origin, copy) for origin, copy in robots.copies.items() if urlsplit(origin).hostname in read)
    return tuple([await _file(robots, origin, copy) for origin, copy in copies])


async def _file(robots: Robots, origin: str, copy: RobotsCopy) -> RobotsFile:
    rules = await robots.rules_of(origin)
    return RobotsFile(
        origin=origin,
        exists=copy.text is not None,
        read_at=copy.read_at,
        since=copy.since,
        crawl_delay=None if rules is None else rules.crawl_delay,
    )
