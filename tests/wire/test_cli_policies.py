"""What the settings file says of limits, budgets, chaos and hosts, through the command, and `dso config`."""

import pytest
from test_cli_rig import Dso, dso

__all__ = ["dso"]

pytestmark = pytest.mark.real_time


def test_chaos_makes_calls_fail_only_where_the_file_asks_for_it(dso: Dso):
    dso.write("[retry]\nmax_retries = 0\n[sources.wzstats.chaos]\nfault_rate = 1\nfaults = ['server']")
    told = dso("sync", "--json").document["sources"]
    assert (told["wzstats"]["status"], told["codarmory"]["status"]) == ("failure", "success")
    assert told["wzstats"]["error"] == {"kind": "server", "message": "chaos: an injected server failure of call 1"}


@pytest.mark.parametrize("table", ["run.budget", "sources.wzstats.budget"])
def test_without_tokens_a_failed_call_is_not_repeated(dso: Dso, table: str):
    dso.write(f"[retry]\nbase_delay = 0\n[{table}]\ntokens = 0\n[sources.wzstats.chaos]\nfault_rate = 1")
    assert dso("fetch", "wzstats", "--json").document["sources"]["wzstats"]["attempts"] == 1
    dso.write("[retry]\nbase_delay = 0\n[sources.wzstats.chaos]\nfault_rate = 1")
    assert dso("fetch", "wzstats", "--json").document["sources"]["wzstats"]["attempts"] == 4


@pytest.mark.parametrize(
    ("toml", "asked"),
    [
        ("[limits.rate]\nlimit = 1\nper = '1h'", 1),
        (
            "[hosts.us.limits.rate]\nlimit = 1\nper = '1h'\n[sources]\nwzstats.host = 'us'\ncodmunity.host = 'us'",
            2,
        ),
        ("[sources.wzstats.limits.rate]\nlimit = 1\nper = '1h'", 3),
        ("[limits.concurrency]\nlimit = 1", 3),
    ],
    ids=["all", "host", "source", "one at a time"],
)
def test_a_pace_lets_so_many_sources_be_asked_as_share_it(dso: Dso, toml: str, asked: int):
    dso.write(toml)
    told = dso("fetch", "--json").document["sources"]
    skipped = [each for each in told.values() if each["status"] == "skipped"]
    assert len(skipped) == 3 - asked
    assert {each["error"]["kind"] for each in skipped} <= {"rate_limit"}


def test_limits_of_a_host_that_no_source_names_are_told(dso: Dso):
    dso.write('[hosts."a.example".limits.rate]\nlimit = 1\nper = 1\n[sources.wzstats]\nhost = "b.example"')
    ended = dso("sync")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == (
        "dso: file dso.toml [hosts.\"a.example\".limits.rate] limit: no source names the host 'a.example';"
        " there are b.example, codmunity.gg, raw.githubusercontent.com;"
        " name it under [sources.KEY], as host = 'a.example'\n"
    )


def test_config_tells_what_holds_and_who_has_set_it(dso: Dso):
    dso.set(DATA_ORCHESTRATOR_MAX_RETRIES="2")
    dso.write("[run.budget]\ntokens = 60\n[sources.wzstats.hedge]\n[sources.wzstats.cache]\nttl = '6h'")
    told = dso("config", "--json").document["settings"]
    assert told["run.timeout"] == {"value": 60.0, "set_by": "default"}
    assert told["run.max_retries"] == {"value": 2, "set_by": "variable DATA_ORCHESTRATOR_MAX_RETRIES"}
    assert told["run.budget.tokens"] == {"value": 60, "set_by": "file dso.toml [run.budget] tokens"}
    assert told["store.data_dir"] == {"value": str(dso.data), "set_by": "flag --data-dir"}
    assert told["sources.wzstats.priority"] == {"value": 2, "set_by": "plug-in"}
    assert told["sources.wzstats.cache.ttl"]["value"] == 21600
    assert told["sources.wzstats.hedge.quantile"] == {"value": 0.95, "set_by": "default"}
    assert told["sources.wzstats.breaker.failures"] == {"value": 5, "set_by": "default"}
    assert not [key for key in told if "chaos" in key or key.startswith(("limits.", "sources.codmunity.hedge"))]
    assert not dso.data.exists()


def test_config_shows_people_what_is_set_or_switched_on(dso: Dso):
    dso.write("[sources.wzstats.hedge]\n[sources.wzstats]\nserve_stale = '2d'")
    lines = [line.split("  ") for line in dso("config").out.splitlines()]
    shown = {cells[0]: [cell.strip() for cell in cells[1:] if cell.strip()] for cells in lines}
    assert shown["[run] timeout"] == ["60.0", "default"]
    assert shown["[sources.wzstats.hedge] quantile"] == ["0.95", "default"]
    assert shown["[sources.wzstats] serve_stale"] == ["172800.0", "file dso.toml [sources.wzstats] serve_stale"]
    assert not [setting for setting in shown if "breaker" in setting or "chaos" in setting]


def test_config_tells_a_mistake_as_every_other_command_does(dso: Dso):
    dso.write("[sources.wzstats.cache]\nttl = 'soon'")
    ended = dso("config", "--json")
    assert (ended.status, ended.out) == (2, "")
    assert "[sources.wzstats.cache] ttl is 'soon'; give seconds as a number" in ended.err
