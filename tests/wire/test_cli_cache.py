"""The result cache through the command: what one process has kept the next one serves, labelled, and never silently."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from test_cli_plugins import installed
from test_cli_rig import Dso, Ended, dso

__all__ = ["dso"]

pytestmark = pytest.mark.real_time

DOWN = ("--fault", "wzstats=error_rate")
CACHED = "[retry]\nmax_retries = 0\n[sources.wzstats.cache]\nttl = '{ttl}'\nstale_if_error = '2d'"
ALWAYS_ASKED = CACHED.format(ttl="0s")


def kept(dso: Dso) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(dso.data / "sandbox.db")) as connection:
        return connection.execute("SELECT source, key FROM cached").fetchall()


def made_older(dso: Dso, hours: int) -> None:
    """Let what is kept have been accepted that much earlier."""
    with closing(sqlite3.connect(dso.data / "sandbox.db")) as connection, connection:
        moved = f"strftime('%Y-%m-%dT%H:%M:%f', stored_at, '-{hours} hours') || '000+00:00'"
        connection.execute(f"UPDATE cached SET stored_at = {moved}")  # noqa: S608 — our own words


def wzstats(ended: Ended) -> dict[str, Any]:
    told: dict[str, Any] = ended.document["sources"]["wzstats"]
    return told


def test_a_second_process_serves_what_the_first_has_kept_and_says_how_old_it_is_and_why(dso: Dso):
    dso.write(CACHED.format(ttl="1h"))
    first, second = (wzstats(dso.apart("fetch", "wzstats", "--json")) for _ in range(2))
    assert (first["attempts"], first["age"]) == (1, None)
    assert (second["status"], second["attempts"], second["rows"]) == ("success", 0, first["rows"])
    assert second["age"]["reason"] == "it is asked for at most every 60 min"
    assert 0 < second["age"]["age_s"] < 60
    assert kept(dso) == [("wzstats", "")]


def test_people_are_told_that_an_answer_is_from_the_cache(dso: Dso):
    dso.write(CACHED.format(ttl="1d"))
    dso("fetch", "wzstats")
    made_older(dso, 3)
    out = dso("fetch", "wzstats").out
    assert "WZStats  from the cache, 3 h old" in out
    assert "it is asked for at most every 24 h" in out


def test_while_the_upstream_is_down_older_data_stands_beside_the_failure_with_its_age_and_reason(dso: Dso):
    dso.write(ALWAYS_ASKED)
    good = wzstats(dso.apart("fetch", "wzstats", "--json"))
    made_older(dso, 26)
    ended = dso.apart("fetch", "wzstats", *DOWN, "--json")
    told = wzstats(ended)
    assert (ended.status, told["status"], told["rows"], told["records"]) == (1, "failure", None, None)
    assert told["stale_rows"] == good["rows"]
    assert 26 * 3600 <= told["age"]["age_s"] < 26 * 3600 + 60
    assert told["age"]["reason"].startswith("its source failed (server): ")
    out = dso("fetch", "wzstats", *DOWN).out
    assert "failed: server" in out
    assert "what it said 26 h ago stands beside it" in out
    assert "Insufficient: 0 of 1 source succeeded" in out
    assert ", 1 other with older data, and 1 must" in out


def test_older_data_suffices_only_where_the_run_accepts_it(dso: Dso):
    dso.write(f"[run]\naccept_stale = true\n{ALWAYS_ASKED}")
    dso("fetch", "wzstats")
    ended = dso("fetch", "wzstats", *DOWN)
    assert ended.status == 0
    assert "Sufficient: 0 of 1 source succeeded" in ended.out


def test_a_sync_always_asks_and_merges_no_older_data_in_the_place_of_a_failure(dso: Dso):
    dso.write(CACHED.format(ttl="1h"))
    assert [wzstats(dso("sync", "wzstats", "--json"))["attempts"] for _ in range(2)] == [1, 1]
    told = dso("sync", "wzstats", *DOWN, "--json").document
    assert told["sources"]["wzstats"]["age"]["reason"].startswith("its source failed (server): ")
    assert [missing["source"] for missing in told["missing"]] == ["wzstats"]
    assert "stands beside it" in dso("sync", "wzstats", *DOWN).out


def test_what_is_older_than_the_file_allows_is_not_served(dso: Dso):
    dso.write(ALWAYS_ASKED)
    dso("fetch", "wzstats")
    made_older(dso, 49)
    told = wzstats(dso("fetch", "wzstats", *DOWN, "--json"))
    assert (told["status"], told["age"], told["stale_rows"]) == ("failure", None, None)


def test_a_stale_answer_is_told_at_once_and_the_command_stays_until_a_new_one_is_kept(dso: Dso):
    dso.write("[sources.wzstats.cache]\nttl = '1h'\nstale_while_revalidate = '1d'")
    dso("fetch", "wzstats")
    made_older(dso, 2)
    assert wzstats(dso.apart("fetch", "wzstats", "--json"))["age"]["age_s"] > 7200
    assert wzstats(dso.apart("fetch", "wzstats", "--json"))["age"]["age_s"] < 3600
    assert dso("metrics", "--json").document["source_metrics"]["wzstats"]["successes"] == 2


def test_what_was_kept_of_another_upstream_is_not_served(dso: Dso):
    dso.write(CACHED.format(ttl="1h"))
    dso("fetch", "wzstats")
    with closing(sqlite3.connect(dso.data / "sandbox.db")) as connection, connection:
        connection.execute("UPDATE cached SET key = 'https://elsewhere.example'")
    assert wzstats(dso("fetch", "wzstats", "--json"))["attempts"] == 1


def test_without_a_cache_nothing_is_kept(dso: Dso):
    dso("fetch", "wzstats")
    assert kept(dso) == []


def test_a_source_that_does_not_tell_its_payload_type_keeps_nothing_beyond_the_process_and_that_is_told(dso: Dso):
    env = installed(dso, "none")
    dso.write('plugins = ["pear"]\n[sources.good.cache]\nttl = "1h"')
    for _ in range(2):
        ended = dso.apart("fetch", "good", "--json", sandbox=False, env=env)
        assert ended.document["sources"]["good"]["attempts"] == 1
        assert ended.err == ("warning: good has a cache and no payload_type: what it keeps ends with this process\n")
    assert Path(dso.data / "dso.db").exists()
