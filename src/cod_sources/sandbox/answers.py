"""What a request gets: status, headers and body, decided without touching a socket.

Knows HTTP's words and how each of the three sites puts them; nothing of weapons, connections or time.
"""

import base64
import gzip
import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

from cod_sources.sandbox.rows import Thrown

Delivery = Literal["whole", "truncated", "trickle"]
"""How the body reaches the client."""

HTML = "text/html; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request's head; header names are in small letters."""

    method: str
    path: str
    query: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer; Content-Length and Date are added where it is sent."""

    status: HTTPStatus
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delivery: Delivery = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a site speaks HTTP, whatever it says: the headers of every answer, and the form of its ETags."""

    headers: Mapping[str, str]
    weak_etags: bool


def page(request: Request, content_type: str, text: str, manners: Manners, thrown: Thrown) -> Answer:
    """Return a good answer, or 304 where the client holds it already.

    A body that is to arrive damaged is sent even then, or the switch would do nothing.
    """
    body = text.encode()
    zipped = "gzip" in request.headers.get("accept-encoding", "").lower()
    etag = _etag(body, weak=manners.weak_etags or zipped)
    headers = {**manners.headers, "content-type": content_type, "etag": etag, "vary": "Accept-Encoding"}
    delivery = _delivery(thrown)
    if delivery == "whole" and _held(request.headers.get("if-none-match", ""), etag):
        return Answer(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    if zipped:
        headers["content-encoding"] = "gzip"
        body = gzip.compress(body, compresslevel=1, mtime=0)
    return Answer(status=HTTPStatus.OK, headers=headers, body=body, delivery=delivery)


def robots(thrown: Thrown) -> Answer:
    """Return the site's robots.txt, which no other switch spoils."""
    forbidden = "/" if "disallowed" in thrown else "/admin/"
    text = f"User-agent: *\nDisallow: {forbidden}\n"
    return Answer(status=HTTPStatus.OK, headers={"content-type": PLAIN}, body=text.encode())


def missing(path: str, content_type: str) -> Answer:
    """Return a 404 in the site's own form."""
    bodies = {
        PLAIN: "404: Not Found",
        JSON: '{"message":"Not Found"}',
        HTML: f"<!DOCTYPE html><title>Error</title><pre>Cannot GET {html.escape(path)}</pre>",
    }
    return _refusal(HTTPStatus.NOT_FOUND, bodies[content_type], {"content-type": content_type})


def wrong_method() -> Answer:
    """Return a 405: the sandbox only reads."""
    return _refusal(HTTPStatus.METHOD_NOT_ALLOWED, "GET and HEAD only", {"content-type": PLAIN, "allow": "GET, HEAD"})


def no_request() -> Answer:
    """Return a 400: what came was no HTTP."""
    return _refusal(HTTPStatus.BAD_REQUEST, "not HTTP/1.1", {"content-type": PLAIN})


def fault(thrown: Thrown, draw: float) -> Answer | None:
    """Return the refusal that the switches ask for, or None; `draw`, in [0, 1), decides on an error."""
    if draw < thrown.get("error_rate", 0):
        return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, _FAILED, {"content-type": HTML})
    if "rate_limited" in thrown:
        wait = f"{thrown['rate_limited']:.0f}"
        return _refusal(HTTPStatus.TOO_MANY_REQUESTS, _LIMITED, {"content-type": "text/html", "retry-after": wait})
    if "challenge" in thrown:
        headers = {"content-type": HTML, "server": "cloudflare", "cf-mitigated": "challenge"}
        return _refusal(HTTPStatus.FORBIDDEN, _CHALLENGE, headers)
    return None


def _refusal(status: HTTPStatus, text: str, headers: Mapping[str, str]) -> Answer:
    return Answer(status=status, headers=headers, body=text.encode())


def _delivery(thrown: Thrown) -> Delivery:
    if "truncated" in thrown:
        return "truncated"
    return "trickle" if "trickle" in thrown else "whole"


def _etag(body: bytes, *, weak: bool) -> str:
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()[:27]
    tag = f'"{len(body):x}-{digest}"'
    return f"W/{tag}" if weak else tag


def _held(if_none_match: str, etag: str) -> bool:
    named = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in named or etag.removeprefix("W/") in named


_FAILED = "<!DOCTYPE html><title>Error</title><pre>Internal Server Error</pre>"

_LIMITED = """<!DOCTYPE html>
<html><head><title>Rate limit</title></head>
<body><h1>Too many requests</h1><p>You have asked too often. Please wait a while, then ask again.</p></body></html>
"""

_CHALLENGE = """<!DOCTYPE html>
<html><head><title>Just a moment...</title><meta name="robots" content="noindex"></head>
<body><h1>Checking your browser</h1><p>Switch JavaScript on to go on.</p></body></html>
"""
