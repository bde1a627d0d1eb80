import json
import tracemalloc

import pytest

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.web import Response

MIB = 1024 * 1024


def served(body: bytes, kind: str = "text/plain"):
    headers = {"content-type": kind} if kind else {}
    return Response(url="https://a.example/x", status=200, headers=headers, body=body)


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b"abc", "", "abc"),
        ("größe".encode(), "text/plain", "größe"),
        ("größe".encode("latin-1"), "text/plain; charset=ISO-8859-1", "größe"),
        ("größe".encode("cp1252"), 'text/html; charset="windows-1252"', "größe"),
        (b"\xef\xbb\xbf" + "größe".encode(), "text/plain; charset=latin-1", "größe"),
        (b"\xff\xfe" + "größe".encode("utf-16-le"), "text/plain", "größe"),
        (b"\xfe\xff" + "größe".encode("utf-16-be"), "", "größe"),
        (b'<meta charset="latin-1">' + "größe".encode("latin-1"), "text/html", '<meta charset="latin-1">größe'),
        (b"<meta charset=utf-16>ok", "text/html", "<meta charset=utf-16>ok"),
        (b"<meta charset=latin-1>ok", "text/plain", "<meta charset=latin-1>ok"),
        (b"abc", "text/plain; charset=no-such-charset", "abc"),
        (b"616263", "text/plain; charset=hex", "616263"),
        (b"\\u0041", "text/plain; charset=unicode_escape", "\\u0041"),
    ],
)
def test_text_is_read_in_the_charset_of_mark_header_or_page_else_utf_8(body: bytes, kind: str, text: str):
    assert served(body, kind).text() == text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"gr\xf6\xdfe", "text/plain"),
        (b"\xff\xfea", "text/plain"),
        ("größe".encode(), "text/plain; charset=us-ascii"),
        (b"<meta charset=utf-16>gr\xf6", "text/html"),
        (b"ab\x81", "text/html; charset=windows-1252"),
    ],
)
def test_text_that_does_not_fit_its_charset_is_content(body: bytes, kind: str):
    with pytest.raises(FetchError) as caught:
        served(body, kind).text()
    assert caught.value.kind == "content"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"a": [1, 2.5, null, "x"]}', "text/plain; charset=utf-8"),
        (b'\n {"a": [1, 2.5, null, "x"]}\n', "application/octet-stream"),
        (b'\xef\xbb\xbf{"a": [1, 2.5, null, "x"]}', "application/json"),
        ('{"a": [1, 2.5, null, "x"]}'.encode("utf-16"), ""),
        ('{"a": [1, 2.5, null, "x"]}'.encode("utf-16-le"), "application/json"),
    ],
)
def test_json_is_read_whatever_its_content_type_says(body: bytes, kind: str):
    assert served(body, kind).json() == {"a": [1, 2.5, None, "x"]}


@pytest.mark.parametrize("value", ["0", '""', "false", "[]", "{}", "null"])
def test_a09_a_falsy_json_value_is_a_value(value: str):
    assert served(value.encode()).json() == json.loads(value)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty body"),
        (b" \r\n\t", "empty body"),
        (b" " * 5_000, "empty body"),
        (b"<!DOCTYPE html><html></html>", "HTML where JSON was expected"),
        (b"\xef\xbb\xbf  <html>", "HTML where JSON was expected"),
        (b"NaN", "NaN"),
        (b'{"a": Infinity}', "Infinity"),
        (b'{"a": -Infinity}', "-Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b"9" * 5_000, "not accepted"),
        (b'{"a": 1, "b": 2, "a": 3}', "'a' twice"),
        (b'{"a": {"b": 1, "b": 1}}', "'b' twice"),
        (b'{"a": 1} trailing', "no JSON"),
        (b"{'a': 1}", "line 1, column 2"),
        (b'"\x01"', "no JSON"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\uDC00": 1}', "surrogate"),
        (b'"gr\xf6"', "utf-8"),
        (b"\xff\xfe{", "utf-16"),
    ],
)
def test_what_strict_json_refuses_is_content_and_says_why(body: bytes, says: str):
    with pytest.raises(FetchError) as caught:
        served(body, "application/json").json()
    assert caught.value.kind == "content"
    assert says in str(caught.value)
    assert str(caught.value).startswith("https://a.example/x ")


def test_a_whole_surrogate_pair_is_a_character():
    assert served(b'"\\ud83d\\ude00"').json() == "😀"


def test_a_challenge_page_under_200_is_blocked():
    with pytest.raises(FetchError) as caught:
        served(b"<html><head><title>Just a moment...</title></head></html>", "text/html").json()
    assert caught.value.kind == "blocked"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"[" * 101 + b"]" * 101, "nests deeper than 100 levels"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "nests deeper than 100 levels"),
        (b"[" + b",".join([b"[" * 200 + b"]" * 200] * 1_000) + b"]", "nests deeper than 100 levels"),
        (b'{"a":' * 200_000, "at most 100 levels are accepted"),
        (b"[" * 400_000, "at most 100 levels are accepted"),
        (b"[" * 1_000_000, "more than 500000 names and values"),
    ],
)
def test_deep_nesting_is_content(body: bytes, says: str):
    with pytest.raises(FetchError, match=says) as caught:
        served(body).json()
    assert caught.value.kind == "content"


@pytest.mark.parametrize("unit", [b"{},", b"[],", b'{"a":[{}]},', b'"a",', b"1,", b'{"":{"":{"":0}}},'])
def test_a_body_of_more_values_than_fit_is_refused_before_any_of_them_is_built(unit: bytes):
    body = b"[" + unit * (8 * MIB // len(unit)) + b"0]"
    tracemalloc.start()
    try:
        with pytest.raises(FetchError, match="more than 500000 names and values") as caught:
            served(body).json()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.kind == "content"
    assert peak < 4 * len(body)


def test_an_object_of_many_keys_with_one_of_them_twice_is_refused():
    body = "{" + ",".join(f'"{number}":0' for number in range(100_000)) + ',"99999":0}'
    with pytest.raises(FetchError, match="'99999' twice"):
        served(body.encode()).json()


def test_nesting_up_to_the_bound_is_read():
    value = served(b'{"a":' * 50 + b"[" * 50 + b"]" * 50 + b"}" * 50).json()
    assert str(value).count("a") == 50


def test_brackets_inside_strings_are_no_nesting():
    assert served(b'["' + b"[{" * 500 + b'\\"]\\\\"]').json() == ["[{" * 500 + '"]\\']
