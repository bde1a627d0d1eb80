"""`dso doctor` works through the troubleshooting list (B19)."""

from typing import Any

import pytest
from test_cli_rig import Dso, dso

from data_source_orchestrator.cli.diagnosis import CHECKLIST

__all__ = ["dso"]

pytestmark = pytest.mark.real_time


def findings(dso: Dso, *, sandbox: bool = True) -> dict[str, dict[str, Any]]:
    told = dso("doctor", "--json", sandbox=sandbox).document
    return {check["check"]: check for section in told["sections"] for check in section["checks"]}


def test_every_line_of_the_list_has_a_finding_and_a_next_command_b19(dso: Dso):
    dso("sync")
    told = findings(dso)
    assert list(told) == [check.title for section in CHECKLIST for check in section.checks]
    assert len(told) == 12
    for check in told.values():
        assert check["finding"] in {"ok", "look here", "unknown"}
        assert check["told"]
        assert check["next"].endswith(f" --data-dir {dso.data} --sandbox")


def test_people_read_the_same_b19(dso: Dso):
    dso("sync")
    out = dso("doctor").out
    for section in CHECKLIST:
        assert f"\n{section.complaint}\n" in f"\n{out}"
        for check in section.checks:
            assert f" {check.title}: " in out
    assert out.count("\n      $ dso ") == 12


def test_nothing_to_complain_of_is_all_ok_but_for_what_too_few_runs_tell(dso: Dso):
    dso("sync")
    doubtful = {title: check["finding"] for title, check in findings(dso).items() if check["finding"] != "ok"}
    assert doubtful == {"Unreliable sources": "unknown"}


def test_before_the_first_run_much_is_unknown_and_the_next_command_is_a_run(dso: Dso):
    told = findings(dso)
    assert told["Network connectivity"]["finding"] == "ok"
    for title in ("Retry count", "Timeout values", "High latency", "Source health", "What the sources serve"):
        assert told[title]["finding"] == "unknown"
        assert told[title]["next"].startswith("dso sync ")


def test_an_upstream_that_is_not_there_is_found_with_the_variable_that_may_be_wrong(dso: Dso):
    urls = ("CODARMORY_BASE_URL", "WZSTATS_BASE_URL", "CODMUNITY_BASE_URL")
    dso.set(**dict.fromkeys(urls, "http://127.0.0.1:1"))
    told = findings(dso, sandbox=False)
    network, variables = told["Network connectivity"], told["Environment variables"]
    assert network["finding"] == variables["finding"] == "look here"
    assert network["told"].startswith("none of 3 sources answered: codarmory: connection: ")
    assert "WZSTATS_BASE_URL=http://127.0.0.1:1" in variables["told"]
    assert variables["next"] == f"unset {' '.join(urls)}"


def test_what_is_switched_off_is_found_with_the_command_that_lifts_it(dso: Dso):
    dso("disable", "wzstats")
    told = findings(dso)["Sources enabled"]
    assert (told["finding"], told["told"]) == ("look here", "wzstats is disabled by the operator")
    assert told["next"].startswith("dso enable wzstats ")
    dso.set(WZSTATS_SCRAPER_ENABLED="no")
    assert findings(dso)["Sources enabled"]["next"] == "unset WZSTATS_SCRAPER_ENABLED"


def test_a_sequential_run_and_a_short_limit_are_found_with_what_set_them(dso: Dso):
    dso.set(DATA_ORCHESTRATOR_PARALLEL_EXECUTION="false", DATA_ORCHESTRATOR_TIMEOUT_MS="5000")
    told = findings(dso)
    assert told["Parallel execution"]["finding"] == "look here"
    assert told["Parallel execution"]["next"] == "unset DATA_ORCHESTRATOR_PARALLEL_EXECUTION"
    assert told["Timeout settings"]["finding"] == "look here"
    assert told["Timeout settings"]["next"].startswith("dso sync --timeout 90 ")


def test_failures_are_sorted_by_what_helps_against_them(dso: Dso):
    dso.write("[retry]\nbase_delay = 0.01\n[sources.codmunity]\ntimeout = 0.4\nattempt_timeout = 0.3")
    faults = ("--fault", "codarmory=error_rate", "--fault", "wzstats=empty", "--fault", "codmunity=latency=9")
    dso("fetch", "--max-retries", "1", *faults)
    told = findings(dso)
    assert "codarmory (server, after 2 attempts)" in told["Retry count"]["told"]
    assert told["Retry count"]["next"].startswith("dso sync --max-retries 5")
    assert told["What the sources serve"]["told"].startswith("wzstats: content: ")
    assert told["What the sources serve"]["next"].startswith("dso fetch wzstats ")
    assert "codmunity" in told["Source timeouts"]["told"]
    assert told["Timeout values"]["next"] == "${EDITOR:-vi} dso.toml"
    assert told["Source health"]["finding"] == "look here"


def test_an_unreliable_source_is_named_after_five_runs(dso: Dso):
    for _ in range(5):
        dso("fetch", "wzstats", "--fault", "wzstats=challenge")
    told = findings(dso)["Unreliable sources"]
    assert (told["finding"], told["told"]) == ("look here", "succeeded in few of their runs: wzstats in 0 %")
    assert told["next"].startswith("dso disable wzstats ")


def test_a_source_that_the_doctor_itself_lets_through_again_is_told(dso: Dso):
    for _ in range(5):
        dso("fetch", "wzstats", "--fault", "wzstats=challenge")
    assert (
        findings(dso)["Sources enabled"]["told"] == "wzstats had been left alone, answered now, and may be asked again"
    )
