"""JSON as RFC 8259 has it and I-JSON (RFC 7493) reads it: what readers would take differently is refused."""

import json
import math
import re
from typing import Any

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_AS_ARRAYS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(code for code in range(256) if code not in b"[]{}")


def parse_json(text: str, max_depth: int) -> Any:
    """Return the value of a JSON text, or raise `ValueError` with what is wrong.

    Refused: more than `max_depth` nested arrays and objects, NaN and infinities (1e999 included), a key twice in
    one object, half a surrogate pair, a number of more digits than Python reads.
    """
    if nested_deeper(text, max_depth):
        raise ValueError(f"it nests deeper than {max_depth} levels")
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise ValueError("it nests deeper than this call could follow") from None
    if _ESCAPED_SURROGATE.search(text):
        _refuse_half_pairs(value)
    return value


def nested_deeper(text: str, max_depth: int) -> bool:
    """Return whether a JSON text nests deeper than that, without recursion and mostly without a loop.

    Exact for JSON; for what is none the parser stops before it gets deeper than is counted here.
    """
    if text.count("[") + text.count("{") <= max_depth:
        return False
    outside_strings = "".join(text.replace("\\\\", "").replace('\\"', "").split('"')[::2])
    brackets = outside_strings.encode("ascii", "replace").translate(_AS_ARRAYS, _NO_BRACKETS)
    for removed in range(max_depth + 1):
        # Each round takes away the innermost pairs: the number of rounds is the depth.
        fewer = brackets.replace(b"[]", b"")
        if len(fewer) == len(brackets):
            return removed + brackets.count(b"[") > max_depth
        brackets = fewer
    return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object holds the key {twice[:60]!r} twice")
    return value


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"the number {text[:40]} is too large")
    return value


def _constant(word: str) -> float:
    raise ValueError(f"{word} is no JSON value")


def _refuse_half_pairs(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("a string holds half of a surrogate pair, which is no character") from None


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_number, parse_constant=_constant)
