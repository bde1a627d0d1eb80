import gzip
import zlib

import pytest

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.web import HttpPolicy
from data_source_orchestrator.web.decoding import Body

DATA = b'{"weapons": []}' * 100
SMALL = HttpPolicy(max_body=10_000, max_wire=5_000)


def body(encoding: str | None = None, *, policy: HttpPolicy = SMALL, length: str | None = None):
    named = {"content-encoding": encoding, "content-length": length}
    return Body({name: value for name, value in named.items() if value}, policy, "https://a.example/x")


def raw_deflate(data: bytes):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "sent"),
    [
        (None, DATA),
        ("identity", DATA),
        ("gzip", gzip.compress(DATA)),
        (" GZip ", gzip.compress(DATA)),
        ("x-gzip", gzip.compress(DATA)),
        ("deflate", zlib.compress(DATA)),
        ("deflate", raw_deflate(DATA)),
        ("gzip", gzip.compress(DATA[:700]) + gzip.compress(DATA[700:])),
        ("gzip", gzip.compress(DATA) + b"\0\0\0 trailing junk"),
    ],
)
def test_what_was_asked_for_is_decoded_even_byte_by_byte(encoding: str | None, sent: bytes):
    whole, single = body(encoding), body(encoding)
    whole.feed(sent)
    for code in sent:
        single.feed(bytes([code]))
    assert whole.finish() == single.finish() == DATA


def test_an_empty_body_is_empty_whatever_its_encoding():
    assert body("gzip").finish() == b""


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_body_that_ends_early_is_truncated_content(encoding: str | None):
    half = body(encoding)
    half.feed((gzip.compress(DATA) if encoding == "gzip" else zlib.compress(DATA))[:-5])
    with pytest.raises(FetchError, match="ends too early") as caught:
        half.finish()
    assert caught.value.kind == "content"
    assert caught.value.truncated


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_broken_compressed_body_is_content(encoding: str | None):
    with pytest.raises(FetchError, match="broken compressed body") as caught:
        body(encoding).feed(b"\xff" * 100)
    assert caught.value.kind == "content"
    assert not caught.value.truncated


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "nonsense"])
def test_an_encoding_that_was_not_asked_for_is_content(encoding: str | None):
    with pytest.raises(FetchError, match="only gzip, deflate were asked for") as caught:
        body(encoding)
    assert caught.value.kind == "content"


def test_a_bomb_is_noticed_at_the_cap_and_not_after_it():
    packed = gzip.compress(bytes(4_000_000))
    assert len(packed) < SMALL.max_wire
    bomb = body("gzip")
    with pytest.raises(FetchError, match="decodes to more than the 10000 bytes") as caught:
        bomb.feed(packed)
    assert caught.value.kind == "content"
    assert len(bomb.so_far) < SMALL.max_body + 64 * 1024 + 1


def test_too_much_on_the_wire_is_content():
    with pytest.raises(FetchError, match="sends more than the 5000 bytes"):
        body().feed(b"x" * 5_001)


@pytest.mark.parametrize("length", ["5001", "9" * 400])
def test_too_much_announced_is_not_even_read(length: str):
    with pytest.raises(FetchError, match="sends more than"):
        body(length=length)


def test_exactly_the_cap_is_accepted():
    exact = body(policy=HttpPolicy(max_body=5_000, max_wire=5_000), length="5000")
    exact.feed(b"x" * 5_000)
    assert len(exact.finish()) == 5_000
