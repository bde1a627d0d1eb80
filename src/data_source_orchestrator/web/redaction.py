"""How addresses are shown to people: without userinfo, a long query, and query values that look secret."""

import re
from urllib.parse import unquote, urlsplit

LONGEST = 200
"""Characters of an address in a message."""

LONGEST_QUERY = 60
"""Characters of its query; a longer one would hide the message, and the rest tells well enough who was asked."""

_SECRET = re.compile(r"token|key|secret|pass|pwd|auth|sig|credential|session|cookie|jwt", re.IGNORECASE)
_PAIR = re.compile(r"([^&;=]+)=([^&;]+)")


def looks_secret(name: str) -> bool:
    """Return whether a parameter or header of this name may hold something secret."""
    return bool(_SECRET.search(name))


def shown(url: object) -> str:
    """Return an address as it may stand in a message."""
    text = "".join(letter if letter.isprintable() else "?" for letter in str(url))
    clean = _without_secrets(text)
    return clean if len(clean) <= LONGEST else clean[: LONGEST - 1] + "…"


def _without_secrets(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = None
    if parts is None or not parts.netloc:
        return text.partition("?")[0].rpartition("@")[2]
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query=_query(parts.query), fragment="").geturl()


def _query(query: str) -> str:
    return _PAIR.sub(_masked, query) if len(query) <= LONGEST_QUERY else "…"


def _masked(pair: re.Match[str]) -> str:
    return f"{pair[1]}=***" if looks_secret(unquote(pair[1])) else pair[0]
