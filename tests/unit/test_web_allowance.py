from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_source_orchestrator.core.allowance import Allowance
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.web.allowance import LONGEST_RESET, parse_allowance

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())


def parsed(**headers: str) -> tuple[int, float] | None:
    allowance = parse_allowance({name.replace("_", "-"): value for name, value in headers.items()}, NOW)
    return None if allowance is None else (allowance.remaining, allowance.reset_after)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ('"default";r=50;t=30', (50, 30)),
        (' "default" ; t=30 ; r=0 ', (0, 30)),
        ("default;r=5;t=1", (5, 1)),
        ('"a,b;r=0;t=9\\"=";r=7;t=8;pk=:cHsdsRa894==:', (7, 8)),
        ('"burst";r=5;t=1, "daily";r=2;t=9000', (2, 9000)),
        ('"burst";r=0;t=1, "daily";r=0;t=9000', (0, 9000)),
        ('"burst";r=5, "daily";r=100;t=9000', (100, 9000)),
        ("limit=100, remaining=50, reset=5", (50, 5)),
        ('"default";r=50', None),
        ('"default";t=30', None),
        ('"default";r=-1;t=30', None),
        ('"default";r=1.5;t=30', None),
        ('"default";r=NaN;t=30', None),
        ('"default";r=50;t=-30', None),
        ('"default";r=50;t=9999999999', (50, LONGEST_RESET)),
        ('"default";r=9999999999999999;t=30', None),
        ('"default";r=999999999999999;t=30', (10**9, 30)),
        ("", None),
        (",;=,;r=,t", None),
        ('"unended;r=1;t=2', (1, 2)),
        ('"x";r=1;t=2,' * 1000, None),
    ],
)
def test_the_structured_field(field: str, expected: tuple[int, float] | None):
    assert parsed(ratelimit=field) == expected


def test_a_quota_of_bytes_is_no_count_of_requests():
    policy = '"bytes";q=65535;qu="content-bytes";w=10, "calls";q=10;w=60;qu="requests"'
    assert parsed(ratelimit='"bytes";r=0;t=10, "calls";r=3;t=60', ratelimit_policy=policy) == (3, 60)
    assert parsed(ratelimit='"bytes";r=0;t=10', ratelimit_policy=policy) is None


@pytest.mark.parametrize("prefix", ["", "x_"])
@pytest.mark.parametrize(
    ("remaining", "reset", "expected"),
    [
        ("50", "30", (50, 30)),
        (" 50 ", " 30.5 ", (50, 30.5)),
        ("0", str(EPOCH + 90), (0, 90)),
        ("0", str((EPOCH + 90) * 1000), (0, 90)),
        ("0", str(EPOCH - 90), (0, 0)),
        ("0", "100000", (0, LONGEST_RESET)),
        ("0", "500000000", None),
        ("0", "99999999999999999999", None),
        ("-1", "30", None),
        ("5", "-30", None),
        ("nan", "30", None),
        ("5", "inf", None),
        ("\N{ARABIC-INDIC DIGIT FIVE}", "30", None),
        ("5, 4", "30", None),
        ("1e3", "30", None),
        ("", "30", None),
        ("5", "", None),
    ],
)
def test_the_older_pair_and_githubs(prefix: str, remaining: str, reset: str, expected: tuple[int, float] | None):
    assert parsed(**{f"{prefix}ratelimit_remaining": remaining, f"{prefix}ratelimit_reset": reset}) == expected


def test_half_a_pair_says_nothing():
    assert parsed(x_ratelimit_remaining="0") is None
    assert parsed(ratelimit_reset="30", x_ratelimit_remaining="0") is None
    assert parsed() is None


def test_of_several_the_tightest_is_believed():
    assert parsed(ratelimit='"a";r=9;t=5', x_ratelimit_remaining="3", x_ratelimit_reset=str(EPOCH + 7)) == (3, 7)
    assert parsed(ratelimit='"a";r=2;t=5', x_rate_limit_remaining="3", x_rate_limit_reset="7") == (2, 5)


@given(
    headers=st.dictionaries(
        st.sampled_from(
            [
                "ratelimit",
                "ratelimit-policy",
                "ratelimit-remaining",
                "ratelimit-reset",
                "x-ratelimit-remaining",
                "x-ratelimit-reset",
            ]
        ),
        st.text(max_size=60)
        | st.text('"\\;=,rtqu019.-: ', max_size=60)
        | st.floats().map(str)
        | st.integers().map(str)
        | st.builds('"{}";r={};t={}'.format, st.text(max_size=3), st.integers(), st.integers()),
    )
)
@example(headers={"ratelimit-reset": "0\x1f"})
@example(headers={"ratelimit-remaining": "0\x1f"})
def test_whatever_an_upstream_sends_is_an_allowance_within_bounds_or_none(headers: dict[str, str]):
    allowance = parse_allowance(headers, NOW)
    assert allowance is None or (allowance.remaining >= 0 and 0 <= allowance.reset_after <= LONGEST_RESET)


@pytest.mark.parametrize(
    ("remaining", "reset_after", "told"),
    [
        (-1, 1.0, "allowance.remaining is -1"),
        (1, -1.0, "allowance.reset_after is -1.0"),
        (1, float("nan"), "allowance.reset_after is nan"),
        (1, float("inf"), "allowance.reset_after is inf"),
    ],
)
def test_an_allowance_that_cannot_be_meant_is_refused(remaining: int, reset_after: float, told: str):
    with pytest.raises(ConfigurationError, match=told):
        Allowance(remaining=remaining, reset_after=reset_after)
