from datetime import timedelta
from typing import Any, get_type_hints

import pytest

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.web import HttpPolicy
from data_source_orchestrator.web.policy import COUNTS


def test_the_cap_on_a_decoded_body_is_32_mib_by_default():
    assert HttpPolicy().max_body == 32 * 1024 * 1024


def test_every_whole_number_of_the_policy_has_its_range_told_in_one_place():
    kinds = get_type_hints(HttpPolicy)
    assert {name for name in kinds if kinds[name] is int} == set(COUNTS)


def test_a_connect_timeout_may_be_a_timedelta():
    assert HttpPolicy(connect_timeout=timedelta(seconds=2)).connect_timeout == 2.0


@pytest.mark.parametrize(
    ("member", "value", "accepted"),
    [
        ("max_body", 0, "1 or more"),
        ("max_wire", -1, "1 or more"),
        ("max_header", True, "1 or more"),
        ("max_redirects", -1, "0 or more"),
        ("max_json_depth", 0, "from 1 to 500"),
        ("max_json_nodes", -1, "1 or more"),
        ("max_json_depth", 501, "1 to 500"),
        ("max_connections", 0, "1 or more"),
        ("connect_timeout", 0, "more than 0"),
        ("connect_timeout", 5000, "did you mean 5?"),
        ("user_agent", "", "printable ASCII"),
        ("user_agent", "a\r\nX-Injected: 1", "printable ASCII"),
        ("user_agent", "größe", "printable ASCII"),
        ("trusted", ("example.com",), "networks"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_with_its_name_and_what_is_accepted(
    member: str, value: Any, accepted: str
):
    with pytest.raises(ConfigurationError) as caught:
        HttpPolicy(**{member: value})
    assert f"http.{member}" in str(caught.value)
    assert accepted in str(caught.value)
