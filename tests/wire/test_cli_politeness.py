"""`dso sources --politeness`: what can be shown to a site's owner, counted over processes."""

import pytest
from test_cli_rig import Dso, dso

__all__ = ["dso"]

pytestmark = pytest.mark.real_time


def test_before_the_first_run_nothing_was_asked_of_anybody(dso: Dso):
    told = dso("sources", "--politeness", "--json").document
    assert told["schema"] == "dso.politeness/1"
    assert {key: each["requests"] for key, each in told["sources"].items()} == {
        "codarmory": 0,
        "wzstats": 0,
        "codmunity": 0,
    }
    assert "Nothing was asked of anybody yet: `dso sync` does that" in dso("sources", "--politeness").out


def test_every_request_of_every_process_is_counted(dso: Dso):
    dso("sync")
    dso.apart("sync", "codarmory")
    dso("sync", "wzstats", "--fault", "wzstats=rate_limited=3600", "--max-retries", "0")
    dso("sync", "wzstats")
    told = dso("sources", "--politeness", "--json").document["sources"]
    assert (told["codarmory"]["fetches"], told["codarmory"]["requests"]) == (2, 12)
    assert told["codarmory"]["requests_per_fetch"] == 6
    assert told["codmunity"]["hosts"]["127.0.0.1"]["robots_txt"] == 1
    assert told["codmunity"]["requests"] == 4
    limited = told["wzstats"]
    assert (limited["fetches"], limited["limited"], limited["waits"], limited["waited_s"]) == (2, 1, 1, 3600)
    assert limited["held_back"] == 1
    assert (limited["host"], limited["limits"]) == (None, None), "a made-up upstream is nobody's host"


def test_people_read_who_asked_what_was_met_and_why_robots_txt_does_not_apply(dso: Dso):
    dso.write('[http]\ncontact = "ops@a.example"')
    dso("sync", "--fault", "wzstats=rate_limited=7200", "--max-retries", "0")
    out = dso("sources", "--politeness").out
    assert "(+ops@a.example; automatic data sync)" in out
    assert "1 fetch since " in out
    assert "6.0 requests each, retries included" in out
    assert "told 1 time that it was asked too much, 1 time with a wait, 2 h in all" in out
    assert "robots.txt: it reads six raw files of a public repository, and no page" in out


def test_the_whole_line_and_its_contact_are_not_given_both(dso: Dso):
    dso.write('[http]\ncontact = "ops@a.example"\nuser_agent = "price-bot/1"')
    ended = dso("sources")
    assert ended.status == 2
    assert "http.user_agent is the whole line, so http.contact would stand nowhere; give only one of them" in ended.err
