"""An answer that has just come, and what of it is to be kept: no state of hishel's, and nothing is sent from here."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime

from data_source_orchestrator.core.ports import StoredResponse
from data_source_orchestrator.core.retry_after import http_date
from data_source_orchestrator.web.caching.asked import Asked
from data_source_orchestrator.web.caching.directives import parse_directives
from data_source_orchestrator.web.caching.freshness import freshness_of, initial_age, joined
from data_source_orchestrator.web.caching.storable import has_secret, kept_headers, variant_of, vary_of
from data_source_orchestrator.web.response import Response

Lines = tuple[tuple[str, str], ...]

_VALIDATORS = ("etag", "last-modified")
_LASTING = ("cache-control", "expires")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What upstream answered, when it was asked, and when that had come."""

    answer: Response
    requested_at: datetime
    received_at: datetime

    @property
    def is_useless(self) -> bool:
        """Whether nothing in it would ever let it be used again: no validator, and no word of how long it is good."""
        return not any(name in self.answer.headers for name in (*_VALIDATORS, *_LASTING))

    def to_keep(self, asked: Asked, lines: Iterable[tuple[str, str]], most: int) -> StoredResponse | None:
        """Return what is kept of it with these header lines, at most so many bytes; None where nothing is."""
        headers = self._kept_lines(lines)
        vary = vary_of(joined(headers))
        if vary is None or not may_be_kept(asked, headers, self.answer.url):
            return None
        stored = StoredResponse(
            address=asked.url,
            variant=variant_of(vary, asked.sent),
            vary=vary,
            url=self.answer.url,
            status=self.answer.status,
            headers=headers,
            body=self.answer.body,
            digest=self.answer.digest,
            received_at=self.received_at,
            initial_age=self._age(),
        )
        useful = any(name in _VALIDATORS for name, _ in headers) or freshness_of(stored, self.received_at).lasts
        return stored if useful and stored.size <= most else None

    def confirming(self, kept: StoredResponse, lines: Iterable[tuple[str, str]]) -> StoredResponse:
        """Return a kept answer that this one, a 304, has confirmed, with the header lines of both."""
        return replace(kept, headers=self._kept_lines(lines), received_at=self.received_at, initial_age=self._age())

    def _age(self) -> float:
        told = {name.lower(): value for name, value in self.answer.headers.items()}
        return initial_age(told, requested_at=self.requested_at, received_at=self.received_at)

    def _kept_lines(self, lines: Iterable[tuple[str, str]]) -> Lines:
        """Return the lines that are kept; an answer that does not tell its date is dated when it came."""
        kept = tuple(kept_headers(lines))
        if http_date(self.answer.headers.get("date", ""), self.received_at) is not None:
            return kept
        dated = format_datetime(self.received_at, usegmt=True)
        return (*(line for line in kept if line[0] != "date"), ("date", dated))


def may_be_kept(asked: Asked, headers: Lines, url: str) -> bool:
    """Return whether neither an answer's headers, nor what was sent, nor the address that answered forbid it."""
    told = parse_directives(joined(headers).get("cache-control", ""))
    for_all = told.public or not asked.credentials
    return for_all and not told.private and not told.no_store and not has_secret(url)
