"""How old a kept answer is and for how long it is good: the arithmetic of RFC 9111 section 4.2, and of RFC 5861.

Pure: the moment is handed in. hishel is told the result, because it reads the machine's own clock and no Age.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from data_source_orchestrator.core.ports import StoredResponse
from data_source_orchestrator.core.retry_after import http_date
from data_source_orchestrator.web.caching.directives import LONGEST, Directives, parse_directives

HEURISTIC_SHARE = 0.1
"""The part of the time since its last change for which an answer without any word of its lifetime is taken as good."""

LONGEST_HEURISTIC = 86_400.0
"""Seconds that such a guess may reach at most."""

_AGE = re.compile(r"\s*([0-9]+)\s*(?:,|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How a kept answer stands at one moment, in seconds.

    `age` is the time since its origin gave or confirmed it, `lifetime` how long it is good from then on, and
    `stands_in` for how much longer it may stand in for an upstream that fails.
    """

    age: float
    lifetime: float
    stands_in: float

    @property
    def fresh(self) -> bool:
        """Whether it may be used without asking."""
        return self.age < self.lifetime

    @property
    def lasts(self) -> bool:
        """Whether there is any time in which it may be used without being confirmed."""
        return self.lifetime + self.stands_in > 0

    @property
    def may_stand_in(self) -> bool:
        """Whether it may be used where its upstream fails."""
        return self.age < self.lifetime + self.stands_in


UNUSABLE = Freshness(age=0.0, lifetime=0.0, stands_in=0.0)
"""How an answer stands of whose age nothing is known: it is confirmed before it is used."""


def freshness_of(response: StoredResponse, now: datetime) -> Freshness:
    """Return how a kept answer stands; one that is received in the future, by a clock set back since, is unusable."""
    if now < response.received_at:
        return UNUSABLE
    headers = joined(response.headers)
    directives = parse_directives(headers.get("cache-control", ""))
    return Freshness(
        age=age_of(response, now),
        lifetime=0.0 if directives.no_cache else _lifetime(headers, directives, response.received_at),
        stands_in=_stands_in(directives),
    )


def age_of(response: StoredResponse, now: datetime) -> float:
    """Return the seconds since a kept answer's origin gave or confirmed it."""
    return response.initial_age + max(0.0, (now - response.received_at).total_seconds())


def initial_age(headers: Mapping[str, str], *, requested_at: datetime, received_at: datetime) -> float:
    """Return the seconds that an answer was old already when it was received: by its Age, its Date, and its way.

    `headers` have lower-case names. An Age that is no whole number is ignored; of several the first counts.
    """
    found = _AGE.match(headers.get("age", ""))
    told = float(min(int(found[1][:20]), LONGEST)) if found else 0.0
    delay = max(0.0, (received_at - requested_at).total_seconds())
    date = http_date(headers.get("date", ""), received_at)
    apparent = 0.0 if date is None else max(0.0, (received_at - date).total_seconds())
    return max(apparent, told + delay)


def joined(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return header lines by name, those of one name joined by commas."""
    fields: dict[str, str] = {}
    for name, value in headers:
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields


def _lifetime(headers: Mapping[str, str], directives: Directives, received_at: datetime) -> float:
    """Return for how long an answer is good, by the first word of it: s-maxage, max-age, Expires, else a guess."""
    if directives.s_maxage is not None:
        return directives.s_maxage
    if directives.max_age is not None:
        return directives.max_age
    date = http_date(headers.get("date", ""), received_at) or received_at
    if "expires" in headers:
        expires = http_date(headers["expires"], received_at)
        return 0.0 if expires is None else max(0.0, (expires - date).total_seconds())
    changed = http_date(headers.get("last-modified", ""), received_at)
    since = 0.0 if changed is None else max(0.0, (date - changed).total_seconds())
    return min(HEURISTIC_SHARE * since, LONGEST_HEURISTIC)


def _stands_in(directives: Directives) -> float:
    """Return for how long after its lifetime an answer may be used: no word of revalidation may forbid it.

    The time of stale-while-revalidate counts too: within it an upstream is asked, and an answer waits for it.
    """
    if directives.no_cache or directives.must_revalidate:
        return 0.0
    return max(directives.stale_if_error, directives.stale_while_revalidate)
