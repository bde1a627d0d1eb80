import asyncio
import binascii
import gzip
import http.client
import json
import math
import socket
import ssl
import urllib.error
import xml.etree.ElementTree as ET
import zlib
from datetime import UTC, datetime
from email.message import Message
from io import BytesIO
from typing import Any
from unittest.mock import Mock

import aiohttp
import httpx
import msgspec
import pydantic
import pytest
import requests
from aiohttp.http_exceptions import BadStatusLine
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from data_source_orchestrator.core.errors import ConfigurationError, FetchError
from data_source_orchestrator.core.retry_after import parse_retry_after
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.resilience.classify import Failed, classify

NOW = datetime(2026, 1, 1, tzinfo=UTC)

RETRIED = {"timeout", "connection", "server", "rate_limited", "unknown"}


def meant(error: BaseException) -> Failed:
    failed = classify(error, NOW)
    assert failed.error is error or isinstance(error, BaseExceptionGroup | asyncio.CancelledError)
    return failed


def raised(work: Any) -> BaseException:
    try:
        work()
    except BaseException as error:  # noqa: BLE001 — whatever the library raises is the subject
        return error
    raise AssertionError("nothing was raised")


class Row(msgspec.Struct):
    name: str


class Model(pydantic.BaseModel):
    name: str


REQUEST_INFO = aiohttp.RequestInfo(URL("http://a.example"), "GET", CIMultiDictProxy(CIMultiDict()), URL())


def aiohttp_status(status: int, **headers: str) -> aiohttp.ClientResponseError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return aiohttp.ClientResponseError(REQUEST_INFO, (), status=status, headers=CIMultiDict(named))


def httpx_status(status: int, **headers: str) -> BaseException:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = httpx.Response(status, headers=named, request=httpx.Request("GET", "http://a.example"))
    return raised(answer.raise_for_status)


def requests_status(status: int, **headers: str) -> BaseException:
    answer = requests.Response()
    answer.status_code = status
    answer.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return raised(answer.raise_for_status)


def urllib_status(status: int, **headers: str) -> BaseException:
    named = Message()
    for name, value in headers.items():
        named[name.replace("_", "-")] = value
    return urllib.error.HTTPError("http://a.example", status, "no", named, BytesIO())


LIBRARIES = [aiohttp_status, httpx_status, requests_status, urllib_status]


@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_fetch_error_says_its_kind_itself_a18(kind: FailureKind):
    failed = meant(FetchError(kind, "no"))
    assert failed.kind is kind
    assert failed.retryable is (kind in RETRIED)


def test_of_bad_content_only_a_truncated_body_is_retried_a18():
    assert not meant(FetchError("content")).retryable
    assert meant(FetchError("content", truncated=True)).retryable
    assert not meant(FetchError("client", truncated=True)).retryable


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), "timeout"),
        (socket.gaierror(-2, "Name or service not known"), "connection"),
        (ConnectionRefusedError(), "connection"),
        (ConnectionResetError(), "connection"),
        (ssl.SSLCertVerificationError("self-signed"), "connection"),
        (PermissionError("no"), "connection"),
        (http.client.RemoteDisconnected("closed"), "connection"),
        (http.client.BadStatusLine("?"), "connection"),
        (urllib.error.URLError(ConnectionRefusedError()), "connection"),
        (urllib.error.URLError(TimeoutError()), "timeout"),
        (KeyError("weapons"), "content"),
        (IndexError("list index out of range"), "content"),
        (raised(lambda: json.loads("<html>")), "content"),
        (raised(b"\xff".decode), "content"),
        (raised(lambda: json.loads("[" * 100_000)), "content"),
        (raised(lambda: ET.fromstring("<a>")), "content"),  # noqa: S314 — a literal of ours
        (raised(lambda: zlib.decompress(b"no")), "content"),
        (raised(lambda: gzip.decompress(b"no")), "content"),
        (raised(lambda: binascii.unhexlify("x")), "content"),
        (raised(lambda: msgspec.json.decode(b'{"name":1}', type=Row)), "content"),
        (raised(lambda: msgspec.json.decode(b"<html>")), "content"),
        (raised(lambda: Model.model_validate({"name": None})), "content"),
        (TypeError("no"), "bug"),
        (AttributeError("no"), "bug"),
        (NameError("no"), "bug"),
        (ModuleNotFoundError("no"), "bug"),
        (AssertionError(), "bug"),
        (ZeroDivisionError(), "bug"),
        (GeneratorExit(), "bug"),
        (BaseException("odd"), "bug"),
        (RuntimeError("odd"), "unknown"),
        (ValueError("odd"), "unknown"),
        (Exception(), "unknown"),
    ],
    ids=repr,
)
def test_what_python_raises_has_its_kind_a18(error: BaseException, kind: str):
    failed = meant(error)
    assert failed.kind == kind
    assert failed.error is error
    assert failed.retryable is (kind in RETRIED)


def test_a_setting_that_is_wrong_is_a_bug_that_no_retry_mends_a18():
    failed = meant(ConfigurationError("requests over HTTP need the package aiohttp, which is not installed"))
    assert (failed.kind, failed.retryable) == ("bug", False)


@pytest.mark.parametrize(
    "error",
    [
        http.client.IncompleteRead(b"half"),
        EOFError("Compressed file ended before the end-of-stream marker was reached"),
        asyncio.IncompleteReadError(b"half", 10),
        aiohttp.ClientPayloadError("Response payload is not completed"),
        requests.exceptions.ChunkedEncodingError(),
    ],
    ids=repr,
)
def test_a_body_that_ended_early_is_bad_content_worth_a_retry_a18(error: BaseException):
    failed = meant(error)
    assert (failed.kind, failed.retryable) == ("content", True)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (aiohttp.ServerTimeoutError(), "timeout"),
        (aiohttp.ConnectionTimeoutError(), "timeout"),
        (aiohttp.ServerDisconnectedError(), "connection"),
        (aiohttp.ClientConnectorError(Mock(), OSError("refused")), "connection"),
        (aiohttp.ClientConnectorCertificateError(Mock(), ssl.SSLCertVerificationError("self-signed")), "connection"),
        (aiohttp.ClientOSError(104, "reset"), "connection"),
        (aiohttp.TooManyRedirects(REQUEST_INFO, ()), "client"),
        (aiohttp.InvalidURL("no"), "client"),
        (aiohttp.NonHttpUrlClientError("ftp://a.example"), "client"),
        (aiohttp.ContentTypeError(REQUEST_INFO, (), status=200), "content"),
        (aiohttp.ClientError(), "unknown"),
        (httpx.ReadTimeout("slow"), "timeout"),
        (httpx.PoolTimeout("slow"), "timeout"),
        (httpx.ConnectError("refused"), "connection"),
        (httpx.RemoteProtocolError("closed"), "connection"),
        (httpx.TooManyRedirects("round and round"), "client"),
        (httpx.UnsupportedProtocol("ftp"), "client"),
        (httpx.InvalidURL("no"), "client"),
        (httpx.DecodingError("gzip"), "content"),
        (httpx.ResponseNotRead(), "bug"),
        (requests.ReadTimeout(), "timeout"),
        (requests.ConnectTimeout(), "timeout"),
        (requests.ConnectionError(), "connection"),
        (requests.exceptions.SSLError(), "connection"),
        (requests.exceptions.ProxyError(), "connection"),
        (requests.TooManyRedirects(), "client"),
        (requests.exceptions.MissingSchema(), "client"),
        (requests.exceptions.InvalidURL(), "client"),
        (requests.JSONDecodeError("no", "<html>", 0), "content"),
        (requests.exceptions.ContentDecodingError(), "content"),
        (requests.exceptions.RetryError(), "server"),
        (requests.RequestException(), "unknown"),
    ],
    ids=repr,
)
def test_what_the_http_libraries_raise_has_its_kind_a18(error: BaseException, kind: str):
    failed = meant(error)
    assert failed.kind == kind
    assert failed.retryable is (kind in RETRIED)


@pytest.mark.parametrize("with_status", LIBRARIES)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "client"),
        (401, "client"),
        (403, "client"),
        (404, "client"),
        (408, "timeout"),
        (410, "client"),
        (429, "rate_limited"),
        (500, "server"),
        (503, "server"),
    ],
)
def test_the_status_of_any_library_s_error_tells_its_kind_d42(with_status: Any, status: int, kind: str):
    failed = meant(with_status(status))
    assert failed.kind == kind
    assert failed.retryable is (kind in RETRIED)
    assert failed.retry_after is None


@pytest.mark.parametrize("status", [0, 200, 299, 600])
def test_a_status_that_is_no_failure_of_either_side_tells_nothing(status: int):
    assert meant(aiohttp_status(status)).kind == "unknown"


@pytest.mark.parametrize(
    ("cause", "kind"),
    [(BadStatusLine("nonsense"), "connection"), (ValueError("of somebody else"), "client"), (None, "client")],
)
def test_an_answer_that_is_no_http_has_no_status_whatever_aiohttp_calls_it(cause: Exception | None, kind: str):
    error = aiohttp_status(400)
    error.__cause__ = cause
    assert meant(error).kind == kind


@pytest.mark.parametrize("with_status", LIBRARIES)
@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", 120.0),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("Thu, 01 Jan 2026 00:01:00 GMT", 60.0),
        ("Thu, 01 Jan 2026 01:01:00 +0100", 60.0),
        ("Thu, 01 Jan 2026 00:01:00 -0000", 60.0),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_read_off_any_library_s_error(with_status: Any, header: str, wait: float):
    failed = meant(with_status(429, Retry_After=header))
    assert failed.retry_after == wait
    assert failed.retryable


@pytest.mark.parametrize("header", ["-5", "soon", "", "inf", "nan", "1e9", "9" * 400, "Thu, 99 Jan 2026"])
def test_a_retry_after_that_cannot_be_kept_means_never(header: str):
    for with_status in LIBRARIES:
        failed = meant(with_status(503, Retry_After=header))
        assert failed.kind == "server"
        assert not failed.retryable


@pytest.mark.parametrize("value", ["²", "٣", "1_000", "+5", "1."])
def test_only_plain_digits_are_seconds(value: str):
    assert parse_retry_after(value, NOW) == math.inf


@pytest.mark.parametrize("with_status", LIBRARIES)
def test_a_403_that_asks_to_wait_is_a_rate_limit(with_status: Any):
    failed = meant(with_status(403, Retry_After="60"))
    assert (failed.kind, failed.retryable, failed.retry_after) == ("rate_limited", True, 60.0)


def test_a_fetch_error_s_infinite_wait_means_never():
    assert not meant(FetchError("rate_limited", retry_after=-1)).retryable
    assert meant(FetchError("rate_limited", retry_after=60)).retry_after == 60


def test_a_subclass_is_known_by_its_nearest_known_ancestor():
    class OurError(httpx.ReadTimeout):
        pass

    assert meant(OurError("slow")).kind == "timeout"


def test_a_class_of_the_same_name_from_elsewhere_is_not_taken_for_the_library_s():
    class HTTPStatusError(Exception):
        status = 404

    assert meant(HTTPStatusError()).kind == "unknown"


def test_a_group_is_known_by_its_first_leaf_that_is_no_cancellation_a18():
    leaf = FetchError("rate_limited", retry_after=3)
    inner = BaseExceptionGroup("inner", [asyncio.CancelledError(), leaf])
    failed = meant(BaseExceptionGroup("outer", [asyncio.CancelledError(), inner, TypeError("later")]))
    assert (failed.kind, failed.error, failed.retry_after) == ("rate_limited", leaf, 3)


def test_a_cancellation_that_nobody_asked_for_is_a_bug_that_is_told_a24():
    for error in (asyncio.CancelledError(), BaseExceptionGroup("all", [asyncio.CancelledError()])):
        failed = meant(error)
        assert failed.kind == "bug"
        assert "nobody had cancelled it" in str(failed.error)
        assert failed.error.__cause__ is error
