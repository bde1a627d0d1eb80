"""What is kept of an answer and what never: secrets, and what somebody with credentials was told alone."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote_plus, urlsplit

from data_source_orchestrator.web.redaction import looks_secret

_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "age"})
"""Headers of the message that came, and not of the decoded body that is kept; an age is kept as a number."""

_CONDITIONAL = frozenset({"range", "if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range"})


def asks_by_itself(headers: Mapping[str, str]) -> bool:
    """Return whether a request has conditions or ranges of its own, whose answers are its caller's business."""
    return not _CONDITIONAL.isdisjoint(headers)


def has_secret(url: str) -> bool:
    """Return whether an address holds something secret: userinfo, or a parameter whose name looks like that."""
    if "?" not in url and "@" not in url:  # most addresses
        return False
    parts = urlsplit(url)
    names = (pair.partition("=")[0] for pair in parts.query.replace(";", "&").split("&"))
    return "@" in parts.netloc or any(looks_secret(unquote_plus(name)) for name in names)


def has_credentials(headers: Iterable[str]) -> bool:
    """Return whether headers of these names tell an upstream who is asking."""
    return looks_secret(" ".join(headers))


def kept_headers(lines: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the header lines that are kept, their names in lower case."""
    for name, value in lines:
        lower = name.lower()
        if lower not in _OF_THE_WIRE and not looks_secret(lower):
            yield lower, value


def vary_of(headers: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the names of the request headers that chose an answer, None where it fits no other request (`*`)."""
    names = {name.strip().lower() for name in headers.get("vary", "").split(",")} - {""}
    return None if "*" in names else tuple(sorted(names))


def variant_of(vary: tuple[str, ...], sent: Mapping[str, str]) -> str:
    """Return what stands for the values that were sent under these names, where nobody can read them; "" for none."""
    if not vary:
        return ""
    text = "\n".join(f"{name}:{sent[name].strip() if name in sent else None!r}" for name in vary)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
