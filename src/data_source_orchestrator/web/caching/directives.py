"""The Cache-Control field of a request or a response, as far as this cache obeys it.

hishel reads the rest by itself: what may be stored, and which header fields may not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_DIRECTIVE = re.compile(r"""([!#$%&'*+.^_`|~0-9a-z-]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*))?""", re.IGNORECASE)
_WHOLE = re.compile(r"[0-9]+")

LONGEST = 2**31
"""Seconds; a longer time is read as this, as RFC 9111 section 1.2.2 asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directives:
    """What a Cache-Control field says; times are in seconds, None where none is given.

    A time that cannot be read, or that is given twice and differently, is 0: such an answer counts as stale. `no_cache`
    and `private` are the directives without field names. `must_revalidate` stands for `proxy-revalidate` and `s-maxage`
    too, which ask the same of a shared cache.
    """

    max_age: float | None = None
    s_maxage: float | None = None
    stale_if_error: float = 0.0
    stale_while_revalidate: float = 0.0
    no_cache: bool = False
    no_store: bool = False
    must_revalidate: bool = False
    private: bool = False
    public: bool = False


_NONE = Directives()


def parse_directives(field: str) -> Directives:
    """Return what a Cache-Control field says; its lines are joined by commas."""
    if not field:
        return _NONE
    found = [(name.lower(), value) for name, value in _DIRECTIVE.findall(field)]
    names = {name for name, _ in found}
    s_maxage = _seconds(found, "s-maxage")
    return Directives(
        max_age=_seconds(found, "max-age"),
        s_maxage=s_maxage,
        stale_if_error=_seconds(found, "stale-if-error") or 0.0,
        stale_while_revalidate=_seconds(found, "stale-while-revalidate") or 0.0,
        no_cache=("no-cache", "") in found,
        private=("private", "") in found,
        no_store="no-store" in names,
        must_revalidate=not names.isdisjoint({"must-revalidate", "proxy-revalidate"}) or s_maxage is not None,
        public="public" in names,
    )


def _seconds(found: Sequence[tuple[str, str]], wanted: str) -> float | None:
    given = {value.strip('"') for name, value in found if name == wanted}
    if not given:
        return None
    first = given.pop()
    return float(min(int(first[:20]), LONGEST)) if not given and _WHOLE.fullmatch(first) else 0.0
