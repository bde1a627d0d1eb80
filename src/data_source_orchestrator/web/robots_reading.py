"""Reading one robots.txt over the wire, within all caps and checks of any other request."""

from datetime import datetime
from http import HTTPStatus

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.web.answer import Answer, Asker
from data_source_orchestrator.web.courtesy import Courtesy
from data_source_orchestrator.web.decoding import Body
from data_source_orchestrator.web.judgement import judge
from data_source_orchestrator.web.policy import HttpPolicy
from data_source_orchestrator.web.robots_copy import PARSED

LEAST_REDIRECTS = 5
"""Redirects that RFC 9309 wants to be followed; a file behind more than these counts as absent."""

_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
"""Statuses below 500 that say nothing about whether there is a file."""


async def read_robots(
    asker: Asker, origin: str, courtesy: Courtesy, policy: HttpPolicy, *, now: datetime
) -> str | None:
    """Return what an origin's robots.txt says, None where it has none: 4xx, or too many redirects.

    Raises `FetchError` where that cannot be known: 5xx, 408, 429, no answer, a redirect to where none may lead.
    """
    try:
        async with asker.ask(f"{origin}/robots.txt", None, None, courtesy) as answer:
            return await _said(answer, policy, now)
    except FetchError as error:
        if error.kind is FailureKind.CLIENT and policy.max_redirects >= LEAST_REDIRECTS:
            return None  # it redirects in a circle, too often, or to what is no address
        raise


async def _said(answer: Answer, policy: HttpPolicy, now: datetime) -> str | None:
    refused = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    if refused and answer.status not in _PASSING:
        return None
    if failure := judge(answer.status, answer.headers, b"", url=answer.url, now=now):
        raise failure
    return (await _beginning(answer, policy)).decode("utf-8-sig", errors="replace")


async def _beginning(answer: Answer, policy: HttpPolicy) -> bytes:
    """Return as much as is read of a file, without the line that this cuts."""
    body = Body(answer.headers, policy, answer.url)
    while data := await answer.more():
        body.feed(data)
        if len(body.so_far) >= PARSED:
            whole, _, _ = body.so_far[:PARSED].rpartition(b"\n")
            return whole
    return body.finish()
