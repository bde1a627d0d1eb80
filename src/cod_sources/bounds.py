"""How many there can be of anything in one answer, beside how many there were; beyond that it is another answer.

An answer of a few megabytes can hold rows for minutes of work, and a person is to learn in a second that it is odd.
"""

from typing import TypeVar

from data_source_orchestrator.core.errors import FetchError
from data_source_orchestrator.core.verdicts import FailureKind

T = TypeVar("T")

MOST_ROWS = 5_000
"""Rows of one list; CODArmory's attachments were 1,502 in 2023, and no list is known to be longer."""

MOST_IN_A_ROW = 300
"""Elements of one list, or members of one object, inside a row; a weapon has at most 139 attachments."""

MOST_NAMED = 30_000
"""Attachments that all weapons name together, each of which is told again with every weapon; there were 7,749."""

MOST_DAMAGE_ROWS = 20
"""Rows of one weapon's damage table; real ones have at most 6."""

MOST_MODES = 100
"""Modes with a tier list; there were 14 in 2024."""

MOST_IDS = 1_000
"""Weapons in one tier; the longest had 129, and WZStats knows about 600 weapons in all."""

MOST_TOPICS = 50
"""Topics of one ranking; it has one."""

MOST_SECTIONS = 50
"""Sections of one ranking; there are six."""

MOST_CARDS = 1_000
"""Cards of one ranking; a whole one has 82 kB of them, with more than 1 kB for each."""


def within(given: T, most: int, what: str) -> T:
    """Return what is given, or raise `FetchError(content)` where it is a list or an object of more than `most`."""
    if isinstance(given, list | dict) and len(given) > most:
        raise FetchError(
            FailureKind.CONTENT,
            f"{what} has {len(given):,} elements, and there cannot be more than {most:,}; the whole answer is refused",
        )
    return given
