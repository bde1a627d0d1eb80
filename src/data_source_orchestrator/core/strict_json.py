"""JSON as RFC 8259 has it and I-JSON (RFC 7493) reads it: what readers would take differently is refused."""

import json
import math
import re
from collections import Counter
from typing import Any

MOST_NODES = 500_000
"""Names and values in one text: ten times the largest that is known here, half a second to read, 200 MB to hold."""

MOST_LEVELS = 100
"""Nested arrays and objects."""

_MARKS = "[{,:"
_SURROGATE = re.compile("\\\\u[dD][89a-fA-F]|[\ud800-\udfff]")


def parse_json(text: str, *, max_depth: int = MOST_LEVELS, max_nodes: int = MOST_NODES) -> Any:
    """Return the value of a JSON text, or raise `ValueError` with what is wrong.

    Refused: more than `max_depth` nested arrays and objects, more than `max_nodes` names and values, NaN and
    infinities (1e999 included), a key twice in one object, half a surrogate pair, a number of more digits than Python
    reads.
    """
    if may_hold_more(text, max_nodes):
        raise ValueError(f"it may hold more than {max_nodes} names and values")
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise ValueError(f"it nests deeper than can be followed; at most {max_depth} levels are accepted") from None
    if may_nest_deeper(text, max_depth) and nested_deeper(value, max_depth):
        raise ValueError(f"it nests deeper than {max_depth} levels")
    if may_hold_surrogates(text) and _SURROGATE.search(text):
        _refuse_half_pairs(value)
    return value


def may_hold_more(text: str, nodes: int) -> bool:
    """Return whether a JSON text can hold more names and values than that, before anything is built of it.

    Each of them but the first follows a mark, so that marks inside strings count too: never too few, seldom too many.
    A few megabytes of text can otherwise grow to gigabytes of values.
    """
    return len(text) > nodes and sum(map(text.count, _MARKS)) >= nodes


def may_nest_deeper(text: str, max_depth: int) -> bool:
    """Return whether a JSON text holds enough brackets to nest so deep; most documents do not."""
    return text.count("[") + text.count("{") > max_depth


def may_hold_surrogates(text: str) -> bool:
    """Return whether a JSON text holds what could be half a character; ASCII without an escaped one does not."""
    return "\\u" in text or not text.isascii()


def nested_deeper(value: Any, max_depth: int) -> bool:
    """Return whether a JSON value nests arrays and objects deeper than that; level by level, without recursion."""
    level = [value] if isinstance(value, list | dict) else []
    for _ in range(max_depth):
        held = (node.values() if isinstance(node, dict) else node for node in level)
        level = [child for children in held for child in children if isinstance(child, list | dict)]
        if not level:
            return False
    return bool(level)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
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
