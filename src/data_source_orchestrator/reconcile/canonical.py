"""When two values are the same, and the one name of a whole set of values.

Numbers are equal by value: 1 and 1.0 are one, -0.0 is 0. True is no number, and the order of a mapping's keys says
nothing.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from data_source_orchestrator.core.claim import Json, Record

_PLAIN = (str, int, type(None))
_SCALAR = (*_PLAIN, float)


def same(one: Json, other: Json) -> bool:
    """Tell whether two values say the same."""
    if type(one) is type(other) and isinstance(one, _SCALAR):
        return one == other
    return _text(one) == _text(other)


def digest(values: Mapping[str, Mapping[str, Json]]) -> str:
    """Return the SHA-256 of values by entity and field, as hexadecimal digits."""
    return hashlib.sha256(_text(values).encode()).hexdigest()


def content_digest(records: Iterable[Record]) -> str:
    """Return the SHA-256 of what a source says, as hexadecimal digits; the order of its records says nothing."""
    texts = sorted(_text([record.entity, record.fields]) for record in records)
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def canonical(value: Json) -> Json:
    """Return a value in the one form that all its equals share, or raise `ValueError` where JSON has none."""
    if isinstance(value, _PLAIN):
        return value
    match value:
        case float() if not math.isfinite(value):
            raise ValueError(f"{value!r} is no number that JSON can hold")
        case float():
            return int(value) if value.is_integer() else value
        case Mapping():
            return {_key(name): canonical(held) for name, held in value.items()}
        case Sequence() if not isinstance(value, bytes | bytearray):
            return [canonical(held) for held in value]
        case _:
            raise ValueError(f"{value!r} is no JSON value")


def _key(name: object) -> str:
    if not isinstance(name, str):
        raise ValueError(f"{name!r} is no name that JSON can hold; give text")  # noqa: TRY004 — all refusals are one kind
    return name


def _text(value: object) -> str:
    return json.dumps(canonical(cast("Json", value)), sort_keys=True, separators=(",", ":"))
