"""aiohttp's errors as our kinds, in sentences that name the host and the cause in plain words.

Imports aiohttp; only `wire` may import this module. aiohttp's own sentences are not passed on: they hold addresses.
"""

import errno
import ssl

import aiohttp
from yarl import URL

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.web.connector import Link
from data_source_orchestrator.web.policy import HttpPolicy
from data_source_orchestrator.web.redaction import shown

MOST_HEADERS = 128
"""Header lines that one answer may have."""

# What OpenSSL calls X509_V_ERR_…: host name or IP address mismatch, dates, and an issuer that cannot be found.
_OTHER_NAME = frozenset({62, 64})
_EXPIRED = 10
_NOT_YET_VALID = 9
_UNKNOWN_ISSUER = frozenset({18, 19, 20, 21})


def told(error: Exception, url: URL, link: Link, policy: HttpPolicy) -> Exception:
    """Return the `FetchError` that an error of the wire is, or the error itself where it is none of the wire's."""
    if isinstance(error, FetchError):
        return error
    if link.refused is not None:
        return _forbidden(url, link.refused)
    return _while_connecting(error, url, policy) or _while_answering(error, url, link, policy) or error


def _while_connecting(error: Exception, url: URL, policy: HttpPolicy) -> FetchError | None:
    where = _place(url)
    match error:
        case TimeoutError():
            wait = f"{policy.connect_timeout:g} s"
            return FetchError(FailureKind.TIMEOUT, f"{where} did not accept a connection within {wait}")
        case aiohttp.ClientConnectorError() | aiohttp.ClientHttpProxyError():
            return FetchError(FailureKind.CONNECTION, _unconnected(error, where))
        case aiohttp.InvalidURL():
            return FetchError(FailureKind.CLIENT, f"{shown(url)} is no address to fetch from")
        case ValueError() | TypeError():
            return FetchError(FailureKind.BUG, f"the request to {shown(url)} has headers that cannot be sent")
        case _:
            return None


def _while_answering(error: Exception, url: URL, link: Link, policy: HttpPolicy) -> FetchError | None:
    match error:
        case aiohttp.ClientPayloadError() if link.was_reset:
            return reset_within_body(url)
        case aiohttp.ClientPayloadError():
            return FetchError(FailureKind.CONTENT, f"{shown(url)} ended before its body was complete", truncated=True)
        case aiohttp.ClientResponseError():
            return FetchError(FailureKind.CONTENT, _unreadable(_place(url), policy))
        case aiohttp.ServerDisconnectedError():
            return FetchError(FailureKind.CONNECTION, f"{_place(url)} hung up without an answer")
        case OSError() | aiohttp.ClientConnectionError():
            return FetchError(FailureKind.CONNECTION, _broken(error, _place(url)))
        case _:
            return None


def _place(url: URL) -> str:
    return f"{url.host}:{url.port}"


def reset_within_body(url: URL) -> FetchError:
    """Return the failure of a connection that broke while a body was being sent."""
    return FetchError(FailureKind.CONNECTION, f"{_place(url)} reset the connection in the middle of its answer")


def _forbidden(url: URL, address: str) -> FetchError:
    return FetchError(
        FailureKind.BLOCKED,
        f"a redirect leads to {_place(url)} at {address}, which is not public, so it is not followed;"
        " where that is meant, name the address in http.trusted",
    )


def _unconnected(error: Exception, where: str) -> str:
    match error:
        case aiohttp.ClientHttpProxyError():
            return f"the proxy refused the way to {where}: it answered {error.status}"
        case aiohttp.ClientProxyConnectionError():
            return f"the proxy {error.host}:{error.port} on the way to {where} cannot be reached: {_cause(error)}"
        case aiohttp.ClientConnectorDNSError():
            return f"no address is known for {error.host}: {_cause(error)}"
        case aiohttp.ClientConnectorCertificateError():
            return f"the TLS certificate of {where} is not accepted: {_mistrust(error.certificate_error)}"
        case aiohttp.ClientConnectorSSLError():
            return f"{where} does not speak TLS as it should: {_tls_reason(error.os_error)}"
        case _:
            return _broken(error, where)


def _broken(error: Exception, where: str) -> str:
    match _number(error):
        case errno.ECONNREFUSED:
            return f"{where} refused the connection: nothing listens there"
        case errno.ECONNRESET | errno.EPIPE | errno.ECONNABORTED:
            return f"{where} reset the connection"
        case errno.ENETUNREACH | errno.EHOSTUNREACH:
            return f"{where} cannot be reached from this network"
        case errno.EMFILE | errno.ENFILE:
            return f"no connection to {where} could be opened: this process has too many files open"
        case _:
            return f"the connection to {where} failed: {_cause(error)}"


def _number(error: Exception) -> int | None:
    if isinstance(error, ConnectionResetError):
        return errno.ECONNRESET
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return inner.errno if isinstance(inner, OSError) else None


def _cause(error: Exception) -> str:
    inner = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    told = inner.strerror if isinstance(inner, OSError) else None
    return told or type(inner).__name__


def _tls_reason(error: OSError) -> str:
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    return (reason or "the handshake failed").replace("_", " ").lower()


def _mistrust(error: Exception) -> str:
    code = error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else None
    if code in _OTHER_NAME:
        return "it is made out to another name"
    if code == _EXPIRED:
        return "it has expired"
    if code == _NOT_YET_VALID:
        return "it is not valid yet; is this machine's clock right?"
    if code in _UNKNOWN_ISSUER:
        return "this machine does not know who signed it; name a private authority's file in SSL_CERT_FILE"
    return error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else "it does not fit the host"


def _unreadable(where: str, policy: HttpPolicy) -> str:
    return (
        f"{where} answered with headers that are no HTTP, are more than {MOST_HEADERS},"
        f" or hold a line of more than {policy.max_header} bytes"
    )
