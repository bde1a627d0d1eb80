"""A value that was given wrongly, as a sentence tells it: as Python writes it, and never at length."""

from collections.abc import Iterable

from data_source_orchestrator.core.errors import nearest

LONGEST = 60
"""Characters of a value that are told; whoever wrote more knows it by these."""


def told(value: object) -> str:
    """Return a value's `repr`, cut short; of what cannot be written, as a number of too many digits, only its type."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # noqa: BLE001 — whatever its own `repr` raises, the sentence is still told
        return f"a value of type {type(value).__name__} that cannot be written"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def did_you_mean(value: object, known: Iterable[str]) -> str:
    """Return the end of a sentence that offers the word that was most likely meant; nothing where none is near."""
    near = nearest(value, map(str, known)) if isinstance(value, str) else None
    return f"; did you mean {near!r}?" if near else ""
