from datetime import UTC, datetime, timedelta

import pytest

from data_source_orchestrator.core.claim import Contribution
from data_source_orchestrator.reconcile import living

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)
DAY = 86_400.0


def checked(source: str, age: timedelta) -> Contribution:
    return Contribution(source=source, run_id="r1", checked_at=NOON - age, records=())


@pytest.mark.parametrize(
    ("age", "believed"),
    [
        (timedelta(0), True),
        (timedelta(days=4), True),
        (timedelta(days=4) + timedelta(microseconds=1), False),
        (timedelta(days=400), False),
        (timedelta(days=-1), True),
    ],
)
def test_a_contribution_expires_four_update_intervals_after_it_was_last_confirmed(age: timedelta, *, believed: bool):
    """A21, A22."""
    contribution = checked("farm", age)
    expected = ((contribution,), ()) if believed else ((), (contribution,))
    assert living([contribution], {"farm": DAY}, NOON) == expected


def test_each_source_grows_old_at_its_own_pace():
    """A21."""
    hourly, weekly = checked("shop", timedelta(days=1)), checked("farm", timedelta(days=1))
    assert living([hourly, weekly], {"shop": 3600.0, "farm": 7 * DAY}, NOON) == ((weekly,), (hourly,))


def test_what_an_unregistered_source_once_said_is_neither_believed_nor_called_expired():
    """D39: no ghosts after unregister."""
    assert living([checked("ghost", timedelta(0))], {"farm": DAY}, NOON) == ((), ())
