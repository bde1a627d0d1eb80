"""The table: classes of errors and HTTP statuses, each with the failure kind that it stands for.

A class is known by the first part of its module and its own name, as `httpx.ReadTimeout`; its nearest known ancestor
speaks for a class that is not listed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from data_source_orchestrator.core.verdicts import FailureKind

Means = FailureKind | Literal["status", "truncated", "reason"]
"""A kind; or where to look for one: the HTTP status, a body that ended early, the error inside."""

RETRIED = frozenset(
    {
        FailureKind.TIMEOUT,
        FailureKind.CONNECTION,
        FailureKind.SERVER,
        FailureKind.RATE_LIMITED,
        FailureKind.UNKNOWN,
    }
)
"""Failures that are worth another attempt; of bad content only a body that ended early is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: what is `seen`, in words; what it `means`; and how it is known: by classes of errors, by statuses."""

    seen: str
    means: Means
    classes: str = ""
    statuses: tuple[range, ...] = ()

    @property
    def kind(self) -> FailureKind | None:
        """The failure kind; None where the status or the error inside tells it."""
        if isinstance(self.means, FailureKind):
            return self.means
        return FailureKind.CONTENT if self.means == "truncated" else None

    @property
    def retried(self) -> bool | None:
        """Whether it is worth another attempt; None where the status or the error inside tells it."""
        return None if self.kind is None else self.kind in RETRIED or self.means == "truncated"


def _only(*statuses: int) -> tuple[range, ...]:
    return tuple(range(status, status + 1) for status in statuses)


TABLE: tuple[Row, ...] = (
    Row(
        seen="no answer in time",
        means=FailureKind.TIMEOUT,
        classes=(
            "builtins.TimeoutError aiohttp.ServerTimeoutError httpx.TimeoutException requests.Timeout"
            " requests.ConnectTimeout"
        ),
        statuses=_only(408),
    ),
    Row(
        seen="no connection, or a broken one: DNS, refused, reset, TLS, and whatever else the system says",
        means=FailureKind.CONNECTION,
        classes=(
            "builtins.OSError aiohttp.ClientConnectionError aiohttp.HttpProcessingError httpx.TransportError"
            " requests.ConnectionError http.BadStatusLine"
        ),
    ),
    Row(
        seen="an answer that is an error: its status tells",
        means="status",
        classes="aiohttp.ClientResponseError httpx.HTTPStatusError requests.HTTPError urllib.HTTPError",
    ),
    Row(seen="an error around another, which tells", means="reason", classes="urllib.URLError"),
    Row(
        seen="asked too much: 429; also 403 with a wait, with no request left, or in GitHub's words",
        means=FailureKind.RATE_LIMITED,
        statuses=_only(429),
    ),
    Row(
        seen="the server's own fault",
        means=FailureKind.SERVER,
        classes="requests.RetryError",
        statuses=(range(500, 600),),
    ),
    Row(
        seen="a challenge page; a redirect to an address or a scheme to which none may lead",
        means=FailureKind.BLOCKED,
    ),
    Row(
        seen="a request that the upstream does not accept, redirects in a circle, what is no address",
        means=FailureKind.CLIENT,
        classes=(
            "aiohttp.TooManyRedirects aiohttp.InvalidURL aiohttp.RedirectClientError aiohttp.NonHttpUrlClientError"
            " httpx.TooManyRedirects httpx.InvalidURL httpx.UnsupportedProtocol httpx.LocalProtocolError"
            " requests.TooManyRedirects requests.MissingSchema requests.InvalidSchema requests.InvalidURL"
            " requests.InvalidHeader requests.URLRequired http.InvalidURL"
        ),
        statuses=(range(300, 500),),
    ),
    Row(
        seen="a body that ended early",
        means="truncated",
        classes=(
            "builtins.EOFError aiohttp.ClientPayloadError requests.ChunkedEncodingError urllib.ContentTooShortError"
            " http.IncompleteRead"
        ),
    ),
    Row(
        seen="data that cannot be decoded, is not valid, is too large, or lacks what the fetcher looked for in it",
        means=FailureKind.CONTENT,
        classes=(
            "builtins.LookupError builtins.UnicodeError builtins.RecursionError"  # deep nesting exhausts a stack
            " aiohttp.ContentTypeError aiohttp.ContentEncodingError httpx.DecodingError requests.InvalidJSONError"
            " requests.ContentDecodingError json.JSONDecodeError msgspec.DecodeError pydantic_core.ValidationError"
            " jsonschema.ValidationError xml.ParseError lxml.LxmlError _csv.Error binascii.Error zlib.error"
            " struct.error gzip.BadGzipFile"
        ),
    ),
    Row(seen="nothing at all: the fetcher returned None", means=FailureKind.EMPTY),
    Row(
        seen="a mistake in the fetcher, or in how it was set up",
        means=FailureKind.BUG,
        classes=(
            "builtins.TypeError builtins.AttributeError builtins.NameError builtins.ImportError"
            " builtins.AssertionError builtins.ZeroDivisionError"
            " data_source_orchestrator.ConfigurationError"  # a package not installed, a request without a session
            " httpx.StreamError requests.StreamConsumedError aiohttp.WSMessageTypeError builtins.BaseException"
        ),
    ),
    Row(
        seen="anything else",
        means=FailureKind.UNKNOWN,
        classes="requests.RequestException builtins.Exception",
    ),
)
"""What is seen, in words, with all that it is known by; a source's own classification comes before it."""

_MEANINGS: dict[str, Means] = {name: row.means for row in TABLE for name in row.classes.split()}

_FORBIDDEN = 403


def meaning_of_class(error: BaseException) -> Means:
    """Return what an error's class stands for, or its nearest known ancestor; a `TimeoutError` is one before all."""
    if isinstance(error, TimeoutError):
        return FailureKind.TIMEOUT
    for ancestor in type(error).__mro__:
        meaning = _MEANINGS.get(_name(ancestor))
        if meaning is not None:
            return meaning
    raise AssertionError("every error is a BaseException, which stands in the table")


def kind_of_status(status: int | None, *, asked_too_much: bool = False) -> FailureKind:
    """Return what an HTTP status stands for; `asked_too_much` is whether a 403 gives a sign that it is a rate limit."""
    if status == _FORBIDDEN and asked_too_much:
        return FailureKind.RATE_LIMITED
    return next(_kinds_of(status), FailureKind.UNKNOWN)


def _kinds_of(status: int | None) -> Iterator[FailureKind]:
    for row in TABLE:
        if row.kind is not None and any(status in statuses for statuses in row.statuses):
            yield row.kind


def _name(known: type) -> str:
    return f"{str(known.__module__).partition('.')[0]}.{known.__name__}"
