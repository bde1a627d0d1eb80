"""How sentences for people speak of values that came as JSON: in its words, not in Python's, and never at length."""

from collections.abc import Mapping

LONGEST_QUOTE = 60
"""Characters of an upstream's own text that a sentence quotes."""


def shortened(text: str) -> str:
    """Return a text, or its beginning where it is longer than a quote may be."""
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"


def quoted(value: object) -> str:
    """Return what a sentence says in a value's place; a list and an object are told without what they hold."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return shortened(repr(value[:LONGEST_QUOTE]))
        case list() | tuple():
            return f"a list of {len(value)}"
        case Mapping():
            return "an object"
        case _:
            return shortened(repr(value))
