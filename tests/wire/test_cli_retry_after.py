"""A `Retry-After` through the command: the next process keeps it, people are told, and `dso enable` lifts it."""

import pytest
from test_cli_rig import Dso, dso

__all__ = ["dso"]

pytestmark = pytest.mark.real_time

BUSY = ("sync", "wzstats", "--fault", "wzstats=rate_limited=3600", "--json")


def test_the_next_process_does_not_ask_before_the_upstreams_own_wait_has_ended(dso: Dso):
    told = dso.apart(*BUSY).document["sources"]["wzstats"]
    assert told["error"]["kind"] == "rate_limited"
    ended = dso.apart("sync", "wzstats", "--json")
    told = ended.document["sources"]["wzstats"]
    assert (ended.status, told["status"], told["attempts"]) == (1, "skipped", 0)
    assert told["error"]["kind"] == "rate_limit"
    assert told["error"]["message"].startswith(
        "the limit of wzstats itself, or a wait that its upstream asked for, left it no time;"
        " it would have had to wait 35"
    )
    assert dso("sync", "codarmory").status == 0


def test_people_see_until_when_and_what_to_type(dso: Dso):
    dso(*BUSY)
    out = dso("sources").out
    assert "left alone" in out
    assert "its upstream asked to be left alone for another" in out
    assert "`dso enable wzstats` asks it all the same" in out
    told = dso("sources", "--json").document["sources"]
    assert 3500 < told["wzstats"]["held_for_s"] <= 3600
    assert told["codarmory"]["held_for_s"] is None


def test_an_operator_lifts_it_for_every_later_process(dso: Dso):
    dso(*BUSY)
    assert dso.apart("enable", "wzstats").status == 0
    assert dso.apart("sync", "wzstats").status == 0


def test_a_wait_that_ends_within_the_time_of_the_run_is_kept_exactly(dso: Dso):
    dso("sync", "wzstats", "--fault", "wzstats=rate_limited=1", "--max-retries", "0")
    told = dso("fetch", "wzstats", "--json").document["sources"]["wzstats"]
    assert told["status"] == "success"


def test_the_doctor_finds_who_asked_to_be_left_alone_and_does_not_promise_a_run_without_him(dso: Dso):
    dso.write("[run]\nmin_successful_sources = 3")
    dso(*BUSY)
    ended = dso("doctor", "--json")
    [told] = [
        check for part in ended.document["sections"] for check in part["checks"] if "the upstream of" in check["told"]
    ]
    assert (ended.status, told["finding"]) == (1, "look here")
    assert told["told"].startswith("the upstream of wzstats asked to be left alone for another ")
    assert told["next"].startswith("dso enable wzstats ")
    assert dso("sync").status == 1
    dso("enable", "wzstats")
    assert dso("doctor").status == dso("sync").status == 0
