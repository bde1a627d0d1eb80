"""Payloads as a cache keeps them: the object itself, or bytes of a type, by MessagePack and never by pickle.

MessagePack and not JSON, which has no NaN, no bytes and no numbers as keys. It must not know where anything is kept.
"""

from typing import Any, Generic, Protocol, TypeVar

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.ports import Live

T = TypeVar("T")


class Payloads(Protocol[T]):
    """Packs and unpacks a source's payloads; either may raise any `Exception`."""

    def pack(self, payload: T) -> bytes | Live:
        """Return a payload as it is kept."""
        ...

    def unpack(self, kept: bytes | Live) -> T:
        """Return the payload that was packed, or raise where this is none."""
        ...


class LivePayloads(Generic[T]):
    """Keeps the object itself, one and the same for all: nobody may change it."""

    def pack(self, payload: T) -> Live:
        """Return the payload, marked as what only memory can keep."""
        return Live(payload)

    def unpack(self, kept: bytes | Live) -> Any:
        """Return the very object."""
        if not isinstance(kept, Live):
            raise TypeError("it was kept as bytes of a type that is no longer told")
        return kept.value


class TypedPayloads(Generic[T]):
    """Keeps bytes that are decoded into their type, checked and anew, for whoever is served."""

    def __init__(self, payload_type: type[T], source: str) -> None:
        try:
            from msgspec import msgpack  # noqa: PLC0415 — an extra; nobody else pays for it
        except ImportError:
            raise ConfigurationError(
                f"{source}.payload_type needs the package msgspec, which is not installed:"
                " pip install msgspec, or leave payload_type out"
            ) from None
        try:
            self._decode = msgpack.Decoder(payload_type).decode
        except TypeError as error:
            raise ConfigurationError(
                f"{source}.payload_type is {payload_type!r}, which msgspec refuses: {error}"
            ) from None
        self._encode = msgpack.Encoder().encode

    def pack(self, payload: T) -> bytes:
        """Return the payload's bytes."""
        return self._encode(payload)

    def unpack(self, kept: bytes | Live) -> T:
        """Return the payload, decoded."""
        if isinstance(kept, Live):
            raise TypeError("it was kept as an object before its type was told")
        return self._decode(kept)


def payloads_of(payload_type: type[T] | None, source: str) -> Payloads[T]:
    """Return how a source's payloads are kept, or raise `ConfigurationError` where that is not possible."""
    return LivePayloads() if payload_type is None else TypedPayloads(payload_type, source)
