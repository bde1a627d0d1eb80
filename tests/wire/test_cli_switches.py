"""What lasts between two commands: switches, priority, health, metrics, breaker (A07, A12, A17, A25)."""

import pytest
from test_cli_rig import Dso, dso

__all__ = ["dso"]

pytestmark = pytest.mark.real_time

REFUSED = ("wzstats", "--fault", "wzstats=challenge")


def test_a_disabled_source_stays_disabled_in_another_process_until_it_is_enabled_a25(dso: Dso):
    dso.apart("disable", "wzstats")
    assert dso.apart("sources", "--json").document["sources"]["wzstats"]["disabled_by"] == "operator"
    assert dso("sync", "--json").document["sources"]["wzstats"]["error"]["kind"] == "disabled"
    dso("enable", "wzstats")
    assert dso("sync", "--json").document["sources"]["wzstats"]["status"] == "success"


@pytest.mark.parametrize("priority", [-1, 0, 7])
def test_a_priority_lasts_and_orders_the_sources(dso: Dso, priority: int):
    told = dso("priority", "codmunity", str(priority), "--json").document
    assert (told["source"], told["priority"]) == ("codmunity", priority)
    keys = list(dso("sources", "--json").document["sources"])
    assert keys.index("codmunity") == (2 if priority == 7 else 0)


@pytest.mark.parametrize(
    ("toml", "variables", "named"),
    [
        ("", {"WZSTATS_SCRAPER_ENABLED": "false"}, "WZSTATS_SCRAPER_ENABLED"),
        ("[sources.wzstats]\nenabled = false", {}, "dso.toml [sources.wzstats] enabled"),
    ],
)
def test_a_source_that_a_setting_keeps_off_cannot_be_enabled_and_the_setting_is_named(
    dso: Dso, toml: str, variables: dict[str, str], named: str
):
    dso.write(toml)
    dso.set(**variables)
    ended = dso("enable", "wzstats", "--json")
    assert (ended.status, ended.out) == (2, "")
    assert named in ended.err
    assert len(ended.err.splitlines()) == 1
    assert named in dso("sources", "--json").document["sources"]["wzstats"]["disabled_by"]
    assert f"disabled by {named}" in dso("sync").out.replace("file ", "")


def test_a_setting_that_keeps_a_source_off_beats_the_stored_switch_and_leaves_it_as_it_was(dso: Dso):
    dso("enable", "wzstats")
    dso.set(WZSTATS_SCRAPER_ENABLED="false")
    assert dso("sources", "--json").document["sources"]["wzstats"]["enabled"] is False
    dso.set(WZSTATS_SCRAPER_ENABLED="true")
    assert dso("sources", "--json").document["sources"]["wzstats"]["enabled"] is True


def test_health_and_metrics_last_and_count_fetches_too_a25(dso: Dso):
    assert dso("health", "--json").document["status"] == "unknown"
    dso("sync")
    dso.apart("fetch", *REFUSED)
    health = dso("health", "--json").document
    assert (health["status"], health["degraded_sources"], health["healthy_sources"]) == ("healthy", 1, 2)
    wzstats = health["sources"]["wzstats"]
    assert (wzstats["status"], wzstats["uptime"], wzstats["consecutive_failures"]) == ("degraded", 50.0, 1)
    assert wzstats["last_failure"]["kind"] == "blocked"
    metrics = dso("metrics", "--json").document
    assert (metrics["total_executions"], metrics["successful_executions"], metrics["success_rate"]) == (2, 1, 0.5)
    told = metrics["source_metrics"]["wzstats"]
    assert (told["executions"], told["successes"], told["failures"], told["success_rate"]) == (2, 1, 1, 0.5)


def test_five_failed_runs_in_as_many_processes_open_the_breaker_and_enabling_closes_it_a07(dso: Dso):
    for _ in range(4):
        assert dso("fetch", *REFUSED).err == ""
    notice = dso.apart("fetch", *REFUSED).err
    assert notice.startswith("notice: wzstats failed too often in a row, and is left alone for ")
    assert len(notice.splitlines()) == 1

    refused = dso("fetch", "wzstats", "--json").document["sources"]["wzstats"]
    assert (refused["status"], refused["error"]["kind"]) == ("skipped", "circuit_open")
    told = dso("sources", "--json").document["sources"]["wzstats"]
    assert (told["enabled"], told["admitted"], told["breaker"]) == (True, False, "open")
    assert 0 < told["retry_after_s"] <= 37.5
    assert "left alone" in dso("sources").out
    assert "tried again in" in dso("health").out

    dso("enable", "wzstats")
    assert dso("sources", "--json").document["sources"]["wzstats"]["admitted"] is True
    assert dso("fetch", "wzstats").status == 0


def test_our_own_refusals_count_for_nothing_a17(dso: Dso):
    for _ in range(5):
        dso("fetch", *REFUSED)
    before = dso("metrics", "--json").document["source_metrics"]["wzstats"]
    dso("fetch", "wzstats")
    after = dso("metrics", "--json").document["source_metrics"]["wzstats"]
    assert before["executions"] == after["executions"] == 5


def test_a_probe_counts_as_no_execution_and_leaves_the_disabled_alone_a12(dso: Dso):
    dso("disable", "codmunity")
    told = dso("health", "--probe", "--json", "--fault", "wzstats=challenge").document["sources"]
    assert (told["codarmory"]["last_check"]["ok"], told["codarmory"]["status"]) == (True, "unknown")
    assert told["codarmory"]["last_check"]["latency_s"] > 0
    assert told["wzstats"]["last_check"]["ok"] is False
    assert "challenge page" in told["wzstats"]["last_check"]["message"]
    assert (told["codmunity"]["last_check"], told["codmunity"]["enabled"]) == (None, False)
    metrics = dso("metrics", "--json").document
    assert (metrics["total_executions"], metrics["source_metrics"]["codarmory"]["executions"]) == (0, 0)


def test_a_probe_that_succeeds_lets_a_source_through_its_breaker_again_a07(dso: Dso):
    for _ in range(5):
        dso("fetch", *REFUSED)
    dso("health", "--probe")
    told = dso("health", "--json").document["sources"]["wzstats"]
    assert (told["admitted"], told["consecutive_failures"]) == (True, 0)


def test_made_up_data_is_kept_apart_from_real_data(dso: Dso):
    dso("disable", "wzstats")
    assert dso("sources", "--json", sandbox=False).document["sources"]["wzstats"]["enabled"] is True
    assert sorted(path.name for path in dso.data.glob("*.db")) == ["dso.db", "sandbox.db"]


def test_people_are_told_how_old_what_a_source_said_is(dso: Dso):
    dso("sync", "wzstats")
    lines = dso("sources").out.splitlines()
    assert [" ".join(line.split()) for line in lines[1:4]] == [
        "✓ CODArmory codarmory 1 enabled never read weekly 95 % 30 s",
        "✓ WZStats wzstats 2 enabled fresh, checked just now hourly 90 % 30 s",
        "✓ CODMunity codmunity 3 enabled never read daily 92 % 30 s",
    ]


def test_people_are_told_what_an_act_has_done(dso: Dso):
    assert dso("disable", "wzstats").out == "WZStats is disabled, until `dso enable wzstats`\n"
    assert dso("enable", "wzstats").out == "WZStats is enabled, and asked from the next run on\n"
    assert dso("priority", "wzstats", "9").out == "WZStats has priority 9\n"
