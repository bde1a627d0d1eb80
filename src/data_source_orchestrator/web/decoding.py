"""A body as it arrives: decoded piece by piece, counted before and after, never larger than its caps."""

import zlib
from collections.abc import Iterator, Mapping
from typing import Protocol

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind
from data_source_orchestrator.web.policy import MIB, HttpPolicy
from data_source_orchestrator.web.redaction import shown

ACCEPTED = "gzip, deflate"
"""The content encodings that are asked for, because they can be decoded within bounds."""

_STEP = 64 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_MAGIC_LENGTH = 2
_GZIP, _ZLIB, _RAW_DEFLATE = 31, 15, -15


class _Decoder(Protocol):
    def feed(self, data: bytes) -> Iterator[bytes]:
        """Give what these bytes decode to, in pieces of bounded size; raises `zlib.error`."""
        ...

    @property
    def complete(self) -> bool:
        """Whether the stream may end here."""
        ...


class Body:
    """Collects one response's body; all it raises is `FetchError(content)`."""

    def __init__(self, headers: Mapping[str, str], policy: HttpPolicy, url: str, max_body: int | None = None) -> None:
        self._policy = policy
        self._max_body = policy.max_body if max_body is None else min(max_body, policy.max_body)
        self._url = url
        self._decoder = _decoder_for(headers.get("content-encoding", ""), url)
        self._decoded = bytearray()
        self._wire = 0
        if _announced(headers) > policy.max_wire:
            raise self._too_long(policy.max_wire)

    @property
    def so_far(self) -> bytes:
        """What has been decoded up to now."""
        return bytes(self._decoded)

    def feed(self, data: bytes) -> None:
        """Take bytes off the wire."""
        self._wire += len(data)
        if self._wire > self._policy.max_wire:
            raise self._too_long(self._policy.max_wire)
        try:
            for piece in self._decoder.feed(data):
                self._decoded += piece
                if len(self._decoded) > self._max_body:
                    raise self._too_long(self._max_body, "decodes to")
        except zlib.error as error:
            raise FetchError(
                FailureKind.CONTENT, f"{shown(self._url)} sent a broken compressed body: {error}"
            ) from None

    def finish(self) -> bytes:
        """Return the whole body, or say that its compressed stream ended early."""
        if self._wire and not self._decoder.complete:
            raise FetchError(
                FailureKind.CONTENT,
                f"{shown(self._url)} sent a compressed body that ends too early, after {self._wire} bytes",
                truncated=True,
            )
        return bytes(self._decoded)

    def _too_long(self, cap: int, verb: str = "sends") -> FetchError:
        size = f"{cap / MIB:g} MiB" if cap >= MIB else f"{cap} bytes"
        return FetchError(
            FailureKind.CONTENT, f"{shown(self._url)} {verb} more than the {size} that are accepted of a body"
        )


def _announced(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "")[:20]
    return int(length) if length.isascii() and length.isdecimal() else 0


class _Plain:
    complete = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data


class _Gzip:
    """One gzip member after another; what follows the last one and is none is ignored, as browsers do."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._between = b""
        self._ignoring = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data and not self._ignoring:
            if self._member.eof:
                self._between += data
                if len(self._between) < _MAGIC_LENGTH:
                    return
                data, self._between = self._between, b""
                self._ignoring = not data.startswith(_GZIP_MAGIC)
                self._member = zlib.decompressobj(_GZIP) if not self._ignoring else self._member
                continue
            yield from _inflate(self._member, data)
            data = self._member.unused_data

    @property
    def complete(self) -> bool:
        return self._member.eof


class _Deflate:
    """Deflate in zlib's envelope, as RFC 9110 has it, or without, as some servers send it."""

    def __init__(self) -> None:
        self._start = b""
        self._stream: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._stream is None:
            data = self._start = self._start + data
            if len(data) < _MAGIC_LENGTH:
                return
            self._stream = zlib.decompressobj(_ZLIB if _has_zlib_header(data) else _RAW_DEFLATE)
        if not self._stream.eof:
            yield from _inflate(self._stream, data)

    @property
    def complete(self) -> bool:
        return self._stream is not None and self._stream.eof


def _inflate(stream: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    while True:
        piece = stream.decompress(data, _STEP)
        if piece:
            yield piece
        data = stream.unconsumed_tail
        if stream.eof or (not data and len(piece) < _STEP):
            return


def _has_zlib_header(data: bytes) -> bool:
    """Judge by RFC 1950: method 8, and the first two bytes a multiple of 31."""
    return data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0  # noqa: PLR2004 — the RFC's own numbers


def _decoder_for(encoding: str, url: str) -> _Decoder:
    named = [name for name in (part.strip().lower() for part in encoding.split(",")) if name not in {"", "identity"}]
    match named:
        case []:
            return _Plain()
        case ["gzip" | "x-gzip"]:
            return _Gzip()
        case ["deflate"]:
            return _Deflate()
        case _:
            raise FetchError(
                FailureKind.CONTENT,
                f"{shown(url)} sent a body encoded as {', '.join(named)[:60]!r}, and only {ACCEPTED} were asked for",
            )
