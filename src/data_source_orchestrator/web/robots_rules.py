"""What one robots.txt says to us: which addresses we may ask for, and how much time to leave between two requests.

Matching is Protego's. It gets only the groups that speak to us or to all: a hostile file of half a megabyte
that names thousands of crawlers above thousands of rules would make it hold their product. Imports Protego, an extra.
"""

import re
from collections.abc import Iterator

from protego import Protego

LONGEST_DELAY = 86_400.0
"""Seconds; a longer crawl-delay is kept as this one, after which the file is read anew."""

_AGENT = re.compile(r"\s*user[- ]?agent\s*[:\s]\s*(.*)", re.IGNORECASE)
_RULE = re.compile(r"\s*(?:allow|d[a-z]*l+[ao]w|crawl[- ]delay)\b", re.IGNORECASE)
"""A rule of a group, in the spellings that Protego takes for one. Every other line interferes with nothing."""

_ALL = "*"


class RobotsRules:
    """The rules of one file for one product token; a file that cannot be understood forbids nothing."""

    def __init__(self, text: str, token: str) -> None:
        self._token = token
        self._rules = Protego.parse("\n".join(_groups_for(text, token)))

    def allows(self, url: str) -> bool:
        """Return whether this address may be asked for; the longest rule that matches decides."""
        return self._rules.can_fetch(url, self._token)

    @property
    def crawl_delay(self) -> float | None:
        """The seconds that the file wants between two requests, None where it asks for nothing."""
        delay = self._rules.crawl_delay(self._token)
        return None if not delay else min(delay, LONGEST_DELAY)


def _groups_for(text: str, token: str) -> Iterator[str]:
    """Yield the lines of the groups that are for this token or for all, and of their agents only these two."""
    mine: set[str] = set()
    naming = False
    for line in text.splitlines():
        if found := _AGENT.match(line):
            mine = mine if naming else set()
            naming = True
            named = found[1].partition("#")[0].strip().lower()
            if named in {token, _ALL}:
                mine.add(named)
                yield f"User-agent: {named}"
        elif _RULE.match(line):
            naming = False
            if mine:
                yield line
