"""The sentences that people read."""

import pytest

from data_source_orchestrator.resilience.wording import limited, seconds


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1800.0, "1800"),
        (20.0, "20"),
        (12.5, "12.5"),
        (1.25, "1.25"),
        (1.0, "1"),
        (0.25, "0.25"),
        (0.001234, "0.0012"),
        (0.0, "0"),
    ],
)
def test_seconds_are_written_as_people_write_them(value: float, written: str):
    assert seconds(value) == written


def test_a_limit_that_cannot_tell_how_long_it_would_have_lasted_says_nothing_of_it():
    told = "the limit of prices, or a wait that its upstream asked for, left it no time"
    assert limited("prices", None) == told
    assert limited("prices", 12.5) == f"{told}; it would have had to wait 12.5 s"
