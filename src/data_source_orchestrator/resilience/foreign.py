"""What the errors of other libraries mean, told by the names of their classes; none of them is imported.

A class is known by the first part of its module and its own name, as `httpx.ReadTimeout`; its nearest known ancestor
speaks for a class that is not listed.
"""

from typing import Literal

from data_source_orchestrator.core.verdicts import FailureKind

Sign = FailureKind | Literal["status", "truncated", "reason"]
"""A kind; or where to look for one: the HTTP status, a body that ended early, the error inside."""

_TABLE: dict[Sign, str] = {
    "status": "aiohttp.ClientResponseError httpx.HTTPStatusError requests.HTTPError urllib.HTTPError",
    "reason": "urllib.URLError",
    "truncated": (
        "aiohttp.ClientPayloadError requests.ChunkedEncodingError urllib.ContentTooShortError http.IncompleteRead"
    ),
    FailureKind.TIMEOUT: ("aiohttp.ServerTimeoutError httpx.TimeoutException requests.Timeout requests.ConnectTimeout"),
    FailureKind.CONNECTION: (
        "aiohttp.ClientConnectionError aiohttp.HttpProcessingError httpx.TransportError requests.ConnectionError"
        " http.BadStatusLine"
    ),
    FailureKind.SERVER: "requests.RetryError",
    FailureKind.CLIENT: (
        "aiohttp.TooManyRedirects aiohttp.InvalidURL aiohttp.RedirectClientError aiohttp.NonHttpUrlClientError"
        " httpx.TooManyRedirects httpx.InvalidURL httpx.UnsupportedProtocol httpx.LocalProtocolError"
        " requests.TooManyRedirects requests.MissingSchema requests.InvalidSchema requests.InvalidURL"
        " requests.InvalidHeader requests.URLRequired http.InvalidURL"
    ),
    FailureKind.CONTENT: (
        "aiohttp.ContentTypeError aiohttp.ContentEncodingError httpx.DecodingError requests.InvalidJSONError"
        " requests.ContentDecodingError json.JSONDecodeError msgspec.DecodeError pydantic_core.ValidationError"
        " jsonschema.ValidationError xml.ParseError lxml.LxmlError _csv.Error binascii.Error zlib.error struct.error"
        " gzip.BadGzipFile"
    ),
    FailureKind.BUG: "httpx.StreamError requests.StreamConsumedError aiohttp.WSMessageTypeError",
    FailureKind.UNKNOWN: "requests.RequestException",
}

_SIGNS: dict[str, Sign] = {name: sign for sign, names in _TABLE.items() for name in names.split()}

_TOO_MANY = 429
_REQUEST_TIMEOUT = 408
_FORBIDDEN = 403
_CLIENT = range(300, 500)
_SERVER = range(500, 600)


def sign_of(error: BaseException) -> Sign | None:
    """Return what the nearest known ancestor of an error's class stands for, or None."""
    for known in type(error).__mro__:
        sign = _SIGNS.get(f"{str(known.__module__).partition('.')[0]}.{known.__name__}")
        if sign is not None:
            return sign
    return None


def is_garbled(error: BaseException) -> bool:
    """Return whether an error only pretends to carry a status: aiohttp gives 400 to an answer that is no HTTP."""
    return error.__cause__ is not None and sign_of(error.__cause__) is FailureKind.CONNECTION


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that a library's error carries, or None."""
    response = getattr(error, "response", None)
    for holder, name in ((error, "status"), (response, "status_code")):
        status = getattr(holder, name, None)
        if isinstance(status, int):
            return status
    return None


def kind_of_status(status: int | None, *, asked_to_wait: bool) -> FailureKind:
    """Return what an HTTP status stands for; a 403 that asks to wait is a rate limit by another name."""
    if status == _TOO_MANY or (status == _FORBIDDEN and asked_to_wait):
        return FailureKind.RATE_LIMITED
    if status == _REQUEST_TIMEOUT:
        return FailureKind.TIMEOUT
    if status in _SERVER:
        return FailureKind.SERVER
    return FailureKind.CLIENT if status in _CLIENT else FailureKind.UNKNOWN
