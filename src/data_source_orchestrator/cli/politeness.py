"""`dso sources --politeness`: what was asked of each host, to be shown to its owner."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from data_source_orchestrator.assemble import Whole
from data_source_orchestrator.cli.documents import document, moment
from data_source_orchestrator.cli.failures import SUFFICIENT
from data_source_orchestrator.cli.layout import Column, Row, paragraph, say, table
from data_source_orchestrator.cli.options import Common
from data_source_orchestrator.cli.performing import tell_unkept
from data_source_orchestrator.cli.screen import Screen
from data_source_orchestrator.cli.words import ago, counted, on, percent, size, span
from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.durations import in_seconds
from data_source_orchestrator.core.policies import LimitPolicy
from data_source_orchestrator.health.traffic import HostTraffic, SourceTraffic
from data_source_orchestrator.orchestration.politeness import Politeness, RobotsFile, SourcePoliteness

COLUMNS = (
    Column(heading="Source"),
    Column(heading="Host"),
    Column(heading="Requests", figures=True),
    Column(heading="Received", figures=True),
    Column(heading="304", figures=True),
    Column(heading="Limited", figures=True),
    Column(heading="Refused", figures=True),
    Column(heading="Failed", figures=True),
    Column(heading="No answer", figures=True),
)


async def report(_: Common, whole: Whole, screen: Screen) -> int:
    """Tell what every source asked of whom."""
    tell_unkept(whole, screen)
    told = await whole.orchestrator.get_politeness()
    now = whole.orchestrator.coordinator.clock.now()
    screen.document(_document(told))
    screen.show(_lines(told, now, screen.out))
    return SUFFICIENT


def _lines(told: Politeness, now: datetime, console: Console) -> list[Text]:
    if not told.sources:
        return [say("no source is registered; install a plug-in, or name it in the setting `plugins`")]
    rows = [
        Row(_row(each.source.title, host, asked))
        for each in told.sources.values()
        for host, asked in each.traffic.hosts.items()
    ]
    lines = table(COLUMNS, rows, console) if rows else [say("Nothing was asked of anybody yet: `dso sync` does that")]
    lines += [Text(), *paragraph(say(f"Every request says who asks: {told.user_agent}"), console, rest="  ")]
    for each in told.sources.values():
        lines += [Text(), *paragraph(say(each.source.title, "bold"), console)]
        for sentence in _sentences(each, now):
            lines += paragraph(say(sentence), console, first="  ", rest="    ")
    return lines


def _row(title: str, host: str, asked: HostTraffic) -> list[Text]:
    counts = (asked.limited, asked.refused, asked.failed, asked.unanswered)
    return [
        say(title),
        say(host),
        say(str(asked.requests)),
        say(size(asked.received)),
        say(percent(_share(asked))),
        *(say(str(count)) for count in counts),
    ]


def _sentences(each: SourcePoliteness, now: datetime) -> Iterator[str]:
    yield _fetches(each.traffic)
    if each.source.host is not None and each.limits is not None:
        yield f"{each.source.host} is asked {_limits(each.limits)}"
    yield from _met(each.traffic)
    yield from _robots(each, now)


def _fetches(traffic: SourceTraffic) -> str:
    if traffic.requests_per_fetch is None or traffic.since is None:
        return "not asked yet"
    times = counted(traffic.fetches, "fetch", "fetches")
    return f"{times} since {on(traffic.since)}, {traffic.requests_per_fetch:.1f} requests each, retries included"


def _limits(limits: LimitPolicy) -> str:
    told = []
    if limits.rate is not None:
        rate, per = limits.rate, span(in_seconds(limits.rate.per))
        told.append(f"{counted(rate.at_once, 'call')} at once and then {rate.limit} in {per}")
    if limits.concurrency is not None:
        told.append(f"{limits.concurrency.limit} at the same time")
    return f"for at most {', '.join(told)}" if told else "without a limit of ours"


def _met(traffic: SourceTraffic) -> Iterator[str]:
    total = traffic.total
    if total.limited:
        yield (
            f"told {counted(total.limited, 'time')} that it was asked too much,"
            f" {counted(total.waits, 'time')} with a wait, {span(total.waited)} in all"
        )
    if traffic.delays:
        yield f"made to wait {counted(traffic.delays, 'time')} by a limit of ours, {span(traffic.delayed)} in all"
    if traffic.held_back:
        yield f"held back {counted(traffic.held_back, 'time')} because a limit or such a wait was in force"


def _robots(each: SourcePoliteness, now: datetime) -> Iterator[str]:
    if each.traffic.forbidden:
        yield f"robots.txt forbade it {counted(each.traffic.forbidden, 'time')}, and it was not asked then"
    for file in each.robots:
        yield _file(file, now)
    if not each.source.robots:
        yield f"robots.txt is not asked: {each.source.robots_reason}"
    elif each.source.robots_reason:
        yield f"robots.txt: {each.source.robots_reason}"


def _file(file: RobotsFile, now: datetime) -> str:
    said = f"has said the same since {on(file.since)}" if file.exists else f"has not been there since {on(file.since)}"
    delay = f", and wants {span(file.crawl_delay)} between two requests" if file.crawl_delay else ""
    return f"{file.origin}/robots.txt, read {ago(file.read_at, now)}, {said}{delay}"


def _share(asked: HostTraffic) -> float | None:
    return asked.not_modified / asked.requests if asked.requests else None


def _document(told: Politeness) -> dict[str, Json]:
    return document(
        "politeness",
        user_agent=told.user_agent,
        sources={key: _source(each) for key, each in told.sources.items()},
    )


def _source(each: SourcePoliteness) -> dict[str, Json]:
    traffic, source = each.traffic, each.source
    return {
        "title": source.title,
        "since": moment(traffic.since),
        "fetches": traffic.fetches,
        **_host(traffic.total),
        "requests_per_fetch": traffic.requests_per_fetch,
        "held_back": traffic.held_back,
        "delays": traffic.delays,
        "delayed_s": traffic.delayed,
        "host": source.host,
        "limits": _policy(each.limits),
        "robots": {
            "obeyed": source.robots,
            "reason": source.robots_reason or None,
            "forbidden": traffic.forbidden,
            "files": [_robots_file(file) for file in each.robots],
        },
        "hosts": {host: _host(asked) for host, asked in traffic.hosts.items()},
    }


def _host(asked: HostTraffic) -> dict[str, Any]:
    return {
        "requests": asked.requests,
        "received_bytes": asked.received,
        "not_modified": asked.not_modified,
        "not_modified_share": _share(asked),
        "limited": asked.limited,
        "refused": asked.refused,
        "failed": asked.failed,
        "unanswered": asked.unanswered,
        "waits": asked.waits,
        "waited_s": asked.waited,
        "robots_txt": asked.robots,
    }


def _policy(limits: LimitPolicy | None) -> Json:
    if limits is None:
        return None
    rate, concurrency = limits.rate, limits.concurrency
    return {
        "rate": None if rate is None else {"limit": rate.limit, "per_s": in_seconds(rate.per), "burst": rate.at_once},
        "concurrency": None if concurrency is None else {"limit": concurrency.limit},
    }


def _robots_file(file: RobotsFile) -> Json:
    return {
        "origin": file.origin,
        "exists": file.exists,
        "read_at": moment(file.read_at),
        "since": moment(file.since),
        "crawl_delay_s": file.crawl_delay,
    }
