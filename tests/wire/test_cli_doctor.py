"""`dso doctor` works through the troubleshooting list (B19)."""

import sqlite3
from contextlib import closing
from pathlib import Path
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
    assert len(told) == 14
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
    assert out.count("\n      $ dso ") == 14


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
    assert network["told"].endswith(
        "this machine's own network seems to be down, for nobody answered: that codarmory, wzstats and codmunity could"
        " not be reached is not counted against them, nor as uptime; look at its connection, name resolution and proxy,"
        " and try again"
    )
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


def hang(dso: Dso, *more: str) -> None:
    faults = [word for key in ("codarmory", "wzstats", "codmunity") for word in ("--fault", f"{key}=latency=20")]
    dso("fetch", *faults, *more)


def test_runs_that_were_cut_by_their_own_limit_are_found_and_not_called_no_runs(dso: Dso):
    dso.set(DATA_ORCHESTRATOR_TIMEOUT_MS="300")
    hang(dso)
    hang(dso)
    told = findings(dso)
    limit = told["Timeout settings"]
    assert limit["finding"] == "look here"
    assert "the run's limit cut short codarmory 2 times (after 0.30 s of its 30.0 s)" in limit["told"]
    assert "raise run.timeout, now 0.30 s, or lower the timeouts of the sources" in limit["told"]
    assert limit["next"].startswith("dso sync --timeout 30 ")
    values = told["Timeout values"]
    assert (values["finding"], values["next"]) == ("unknown", limit["next"])
    assert values["told"].endswith("timeout of codarmory, wzstats and codmunity: the run's limit came first")
    assert told["Retry count"]["told"] == "the run's limit cut short all that has run"
    assert told["Retry count"]["next"] == limit["next"]
    assert "cut by the run's limit: codarmory, wzstats, codmunity" in told["Source health"]["told"]
    assert not any("has run yet" in check["told"] for check in told.values())


def test_a_limit_that_was_raised_meanwhile_is_tried_by_another_run(dso: Dso):
    hang(dso, "--timeout", "0.3")
    told = findings(dso)["Timeout settings"]
    assert told["told"].endswith("it is 1 min now, which leaves every source its own time")
    assert told["next"].startswith("dso sync --data-dir ")


def test_a_source_that_has_answered_since_is_complained_of_no_longer(dso: Dso):
    hang(dso, "--timeout", "0.3")
    dso("fetch")
    told = findings(dso)
    assert told["Timeout settings"]["finding"] == told["Timeout values"]["finding"] == "ok"


def test_a_check_that_did_not_end_is_no_answer_whatever_an_earlier_one_found(dso: Dso):
    dso("health", "--probe")
    dso.set(DATA_ORCHESTRATOR_TIMEOUT_MS="1")
    told = findings(dso)["Network connectivity"]
    assert told["finding"] == "look here"
    assert "its check did not come to an end within the run's 0.00 s" in told["told"]


def without_store(dso: Dso) -> dict[str, dict[str, Any]]:
    """Return what is found where nothing can be kept: the list is worked through all the same."""
    ended = dso("doctor", "--json")
    assert (ended.status, ended.err) == (1, "")
    told = {check["check"]: check for section in ended.document["sections"] for check in section["checks"]}
    assert next(iter(told)) == "Store"
    assert len(told) == 14
    assert told["Store"]["finding"] == "look here"
    assert told["Network connectivity"]["finding"] == "ok"
    unknown = [check["told"] for check in told.values() if check["finding"] == "unknown"]
    assert len(unknown) == 10
    assert all(sentence.endswith("not known without the store") for sentence in unknown)
    advised = {check["next"].split()[1] for check in told.values() if check["next"].startswith("dso ")}
    assert advised == {"doctor"}  # every other verb can only fail
    return told


def test_a_damaged_store_is_the_first_finding_and_the_rest_is_looked_at_all_the_same(dso: Dso):
    dso("sync")
    path = dso.data / "sandbox.db"
    path.write_bytes(b"this was never a database, it is a letter\n" * 100)
    store = without_store(dso)["Store"]
    assert "is damaged" in store["told"]
    assert store["next"] == f"mv {path} {path}.damaged"


def test_a_damaged_store_is_set_aside_with_the_log_that_belongs_to_it(dso: Dso):
    dso("sync")
    path = dso.data / "sandbox.db"
    path.write_bytes(b"")
    path.with_name("sandbox.db-wal").write_bytes(b"x" * 5000)
    advice = without_store(dso)["Store"]["next"]
    assert advice == f"mv {path} {path}.damaged && mv {path}-wal {path}.damaged-wal"


@pytest.mark.parametrize(
    ("failing", "demanded", "status"),
    [((), "3", 0), (("wzstats",), "2", 0), (("wzstats",), "3", 1), (("codarmory", "wzstats", "codmunity"), "1", 1)],
)
def test_the_exit_status_is_that_of_a_sync_as_far_as_it_can_be_known(
    dso: Dso, failing: tuple[str, ...], demanded: str, status: int
):
    dso.write(f"[run]\nmin_successful_sources = {demanded}")
    for key in failing:
        dso("disable", key)
    assert dso("doctor").status == status
    assert dso("sync").status == status


def test_a_source_that_was_healthy_before_it_was_cut_short_is_no_contradiction(dso: Dso):
    dso("sync")
    dso("sync", "wzstats", "--timeout", "0.3", "--fault", "wzstats=latency=9")
    told = findings(dso)
    doubt = "wzstats was healthy when last heard of; the run's limit cut all runs since"
    assert (told["Source health"]["finding"], told["Source health"]["told"]) == ("look here", doubt)
    assert told["Timeout values"]["told"] != told["Timeout settings"]["told"]


def test_a_source_that_is_not_well_is_named_though_all_together_are(dso: Dso):
    dso("sync")
    dso("fetch", "wzstats", "--fault", "wzstats=challenge")
    told = findings(dso)["Source health"]
    assert (told["finding"], told["told"]) == (
        "look here",
        "not every source is well: 2 of 3 sources healthy; degraded: wzstats",
    )


def test_a_store_that_another_process_holds_is_the_first_finding(dso: Dso):
    dso("sync")
    path = dso.data / "sandbox.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store = without_store(dso)["Store"]
    assert "was locked by another process" in store["told"]
    assert store["next"] == f"fuser -v {path}"


@pytest.mark.parametrize("place", ["/dev/full", "/proc/nothing", "letter.txt"])
def test_a_data_folder_that_can_be_none_is_the_first_finding(dso: Dso, place: str):
    (dso.folder / "letter.txt").write_text("mine")
    dso.data = Path(place)
    store = without_store(dso)["Store"]
    assert store["told"].endswith("choose another data folder")
    assert store["next"] == 'dso doctor --sandbox --data-dir "$HOME/dso-data"'


def test_a_database_of_another_program_is_the_first_finding_and_stays_as_it_is(dso: Dso):
    dso.data.mkdir()
    with closing(sqlite3.connect(dso.data / "sandbox.db")) as theirs:
        theirs.execute("CREATE TABLE letters (text)")
    assert "is the database of another program" in without_store(dso)["Store"]["told"]
    with closing(sqlite3.connect(dso.data / "sandbox.db")) as theirs:
        assert theirs.execute("SELECT name FROM sqlite_master").fetchall() == [("letters",)]


def test_a_mistake_in_the_settings_is_told_before_the_store_is_looked_at(dso: Dso):
    dso.data.write_text("mine")
    dso.write('plugins = ["cood"]')
    assert dso("doctor").status == 2
