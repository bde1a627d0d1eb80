"""Exit status and the sentences that go with it: 0 sufficient, 1 insufficient, 2 wrong use or configuration."""

import subprocess
import sys

import pytest
from test_cli_rig import MAIN, Dso, Ended, dso, environment

from data_source_orchestrator.cli.app import run
from data_source_orchestrator.cli.failures import guarded
from data_source_orchestrator.cli.options import Common
from data_source_orchestrator.cli.settled import data_folder, settled

__all__ = ["dso"]

pytestmark = pytest.mark.real_time


def refused(ended: Ended, *words: str, lines: int = 1) -> None:
    assert ended.status == 2
    assert ended.out == ""
    assert len(ended.err.splitlines()) == lines
    for word in words:
        assert word in ended.err


def test_a_sufficient_run_exits_with_0(dso: Dso):
    ended = dso("sync")
    assert ended.status == 0
    assert "Sufficient: 3 of 3 sources succeeded" in ended.out


def test_a_partly_failed_run_is_sufficient_unless_more_is_demanded(dso: Dso):
    fault = ("--fault", "wzstats=challenge")
    assert dso("sync", *fault).status == 0
    ended = dso("sync", *fault, "--min-successful", "3")
    assert ended.status == 1
    assert "Insufficient: 2 of 3 sources succeeded" in ended.out


def test_a_run_with_nothing_enabled_is_insufficient_and_no_error_b07(dso: Dso):
    for key in ("codarmory", "wzstats", "codmunity"):
        dso("disable", key)
    ended = dso("sync", "--json")
    assert ended.status == 1
    assert {outcome["status"] for outcome in ended.document["sources"].values()} == {"skipped"}
    assert dso("fetch").status == 1


@pytest.mark.parametrize("json", [(), ("--json",)], ids=["people", "json"])
@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[run]\ntimeuot = 3", ("timeuot", "timeout")),
        ("[run]\ntimeout = -1", ("[run] timeout", "-1", "more than 0")),
        ("[sources.wzstat]\ntimeout = 3", ("wzstat", "did you mean 'wzstats'")),
        ("[run", ("dso.toml", "line 1")),
        ('plugins = ["cood"]', ("no plug-in is called 'cood'", "did you mean 'cod'")),
    ],
)
def test_a_mistake_in_the_settings_file_is_one_sentence(
    dso: Dso, json: tuple[str, ...], toml: str, words: tuple[str, ...]
):
    dso.write(toml)
    refused(dso("sync", *json), *words)


def test_every_mistake_has_its_own_line(dso: Dso):
    dso.write("[run]\ntimeout = 0\nmax_retries = -1")
    dso.set(DATA_ORCHESTRATOR_PARALLEL_EXECUTION="perhaps")
    refused(dso("sync", "--json"), "timeout", "max_retries", "DATA_ORCHESTRATOR_PARALLEL_EXECUTION", lines=3)


def test_a_mistake_in_a_variable_is_told_in_the_words_of_the_variable(dso: Dso):
    dso.set(DATA_ORCHESTRATOR_TIMEOUT_MS="10s")
    refused(dso("health", "--json"), "variable DATA_ORCHESTRATOR_TIMEOUT_MS is '10s'", "did you mean 10000?")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("WZSTAT_SCRAPER_ENABLED", "WZSTATS_SCRAPER_ENABLED"),
        ("CODARMORY_BASEURL", "CODARMORY_BASE_URL"),
        ("CODMUNITY_API_URL", "CODMUNITY_API_BASE_URL"),
        ("DATA_ORCHESTRATOR_TIMEOUT", "DATA_ORCHESTRATOR_TIMEOUT_MS"),
        ("DSO_DATADIR", "DSO_DATA_DIR"),
    ],
)
def test_a_misspelt_variable_is_told_with_the_nearest_one_wherever_it_stands(dso: Dso, name: str, meant: str):
    told = f"is not known; did you mean {meant}?"
    dso.set(**{name: "1"})
    refused(dso("sync", "--json"), f"variable {name} {told}")
    dso.set(**{name: ""})
    (dso.folder / ".env").write_text(f"{name}=1")
    refused(dso("sources"), f"variable {name} (file .env) {told}")


def test_the_variables_of_a_plug_in_that_is_not_loaded_are_anybodys(dso: Dso):
    dso.write("plugins = []")
    dso.set(CODARMORY_BASEURL="1")
    assert dso("sources").status == 0


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--timeout", "soon"), ("flag --timeout is 'soon'", "30s")),
        (("--timeout", "-1"), ("flag --timeout is '-1'; give more than 0 and at most 3600 seconds",)),
        (("--timeout", "60000"), ("flag --timeout is '60000'", "did you mean 60?")),
        (("--max-retries", "many"), ("flag --max-retries is 'many'", "whole number")),
        (("--max-retries", "-1"), ("flag --max-retries is -1", "0 or more")),
        (("--timeout", "9" * 20), (f"flag --timeout is '{'9' * 20}'", "at most 3600 seconds")),
        (("--max-retries", "9" * 20), ("from 0 to 1000000000",)),
        (("--max-retries", "\N{ARABIC-INDIC DIGIT THREE}"), ("whole number",)),
        (("--min-successful", "1_0"), ("flag --min-successful is '1_0'", "whole number")),
        (("--min-successful", "1.5"), ("flag --min-successful is '1.5'", "whole number")),
        (("--config", ""), ("flag --config is ''", "the path of a settings file")),
        (("--config", "."), ("file . cannot be read: Is a directory",)),
        (("--config", "none.toml"), ("none.toml", "does not exist")),
        (("--fault", "wzstats"), ("--fault is 'wzstats'", "KEY=SPEC")),
        (("--fault", "wzstats=latency=soon"), ("latency", "'soon'", "seconds")),
        (("--fault", "wzstats=latenc"), ("'latenc'", "did you mean 'latency'")),
        (("--fault", "wzstat=latency"), ("'wzstat'", "did you mean 'wzstats'")),
    ],
)
def test_a_mistake_in_a_flag_is_told_in_the_words_of_the_flag(dso: Dso, flags: tuple[str, ...], words: tuple[str, ...]):
    refused(dso("sync", *flags), *words)


@pytest.mark.parametrize("verb", ["sync", "fetch", "sources", "doctor"])
def test_more_sources_than_there_are_cannot_be_demanded(dso: Dso, verb: str):
    dso.write("[run]\nmin_successful_sources = 9")
    told = "is 9, and there are 3 sources (codarmory, wzstats, codmunity), so no run could be sufficient"
    accepted = "give a whole number from 0 to 3"
    refused(dso(verb), f"file dso.toml [run] min_successful_sources {told}; {accepted}")


def test_a_flag_that_demands_more_sources_than_there_are_is_told_as_it_was_typed(dso: Dso):
    refused(dso("sync", "--min-successful", "4"), "flag --min-successful is 4, and there are 3 sources")
    dso.write("plugins = []\n[run]\nmin_successful_sources = 2")
    refused(dso("sync"), "[run] min_successful_sources is 2, and there is no source, so no run", "from 0 to 1")


def test_whoever_demands_one_source_where_there_is_none_yet_is_not_refused(dso: Dso):
    dso.write("plugins = []\n[run]\nmin_successful_sources = 1")
    assert dso("sources").status == 0


@pytest.mark.parametrize("verb", ["sync", "sources", "doctor", "health", "metrics"])
@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_data_folder_is_refused_and_is_not_the_working_folder(
    dso: Dso, verb: str, empty: str, capsys: pytest.CaptureFixture[str]
):
    status = run([verb, "--sandbox", "--data-dir", empty])
    refused(Ended(status, *capsys.readouterr()), f"flag --data-dir is '{empty}'; give the path of a folder")
    assert list(dso.folder.iterdir()) == []


def test_a_fault_without_the_sandbox_is_refused_before_anybody_is_asked(dso: Dso):
    refused(dso("sync", "--fault", "wzstats=latency", sandbox=False), "--sandbox")


@pytest.mark.parametrize(
    "words",
    [("sync", "wzstat"), ("fetch", "wzstat"), ("enable", "wzstat"), ("disable", "wzstat"), ("priority", "wzstat", "1")],
)
def test_an_unknown_source_is_told_with_the_nearest_key(dso: Dso, words: tuple[str, ...]):
    refused(dso(*words), "no source is called 'wzstat'; did you mean 'wzstats'?")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("snyc",), "sync"),
        (("sync", "--jsn"), "--json"),
        (("enable",), "KEY"),
        (("priority", "wzstats"), "N"),
        (("priority", "wzstats", "1.5"), "whole number"),
        (("priority", "wzstats", "first"), "the priority is 'first'; give a whole number, such as 1"),
        (("priority", "wzstats", "9" * 20), "from -1000000000 to 1000000000"),
        (("sandbox", "--port", "x"), "whole number"),
        (("sandbox", "--port", "99999"), "99999"),
        (("sources", "wzstats"), "wzstats"),
    ],
)
def test_wrong_use_is_one_sentence(dso: Dso, words: tuple[str, ...], told: str):
    refused(dso(*words), told)


def test_the_command_alone_shows_its_help_and_counts_as_wrong_use():
    ended = subprocess.run(MAIN, capture_output=True, text=True, check=False, env=environment())  # noqa: S603 — our own
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Usage: dso" in ended.stderr


def test_flags_stand_over_settings(dso: Dso):
    dso.write("[run]\nmin_successful_sources = 3")
    fault = ("--fault", "wzstats=challenge")
    assert dso("sync", *fault).status == 1
    assert dso("sync", *fault, "--min-successful", "1").status == 0


def test_the_data_folder_is_that_of_the_flag_then_the_variable_then_the_user(dso: Dso):
    dso.set(XDG_DATA_HOME=str(dso.folder / "mine"))
    assert data_folder(settled(Common())) == dso.folder / "mine" / "dso"
    dso.set(DSO_DATA_DIR="elsewhere")
    assert data_folder(settled(Common())) == dso.folder / "elsewhere"
    assert data_folder(settled(Common(data_dir="here"))) == dso.folder / "here"


def test_what_nobody_foresaw_is_one_sentence_and_its_traceback_a_file(dso: Dso, capsys: pytest.CaptureFixture[str]):
    status = guarded("no_such_module.run", Common(data_dir=str(dso.data)))
    out, err = capsys.readouterr()
    assert (status, out) == (1, "")
    [line] = err.splitlines()
    assert line.startswith("dso: something unforeseen went wrong (No module named ")
    assert line.endswith(f"the traceback is in {dso.data}/errors.log")
    assert "Traceback (most recent call last)" in (dso.data / "errors.log").read_text()


def test_a_traceback_is_kept_elsewhere_where_the_data_folder_cannot_hold_it(
    dso: Dso, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    dso.data.write_text("a file")
    monkeypatch.setattr("tempfile.tempdir", str(dso.folder))
    assert guarded("no_such_module.run", Common(data_dir=str(dso.data))) == 1
    [kept] = dso.folder.glob("dso-*.log")
    assert capsys.readouterr().err.endswith(f"the traceback is in {kept}\n")


@pytest.mark.parametrize("module", ["typer", "rich", "platformdirs"])
def test_without_the_command_lines_extra_one_sentence_says_what_to_install(dso: Dso, module: str):
    hidden = f"import sys; sys.modules['{module}'] = None; from data_source_orchestrator.cli import main; main()"
    words = [sys.executable, "-c", hidden, *dso.typed("sources")]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 — our own words
    refused(Ended(ended.returncode, ended.stdout, ended.stderr), module, "install data-source-orchestrator[cli]")


def test_the_caps_of_the_http_table_act(dso: Dso):
    dso.write("[http]\nmax_body = 1000\nmax_redirects = 0")
    ended = dso("sync", "--json")
    assert ended.status == 1
    for outcome in ended.document["sources"].values():
        assert outcome["error"]["kind"] == "content"
        assert "1000 bytes" in outcome["error"]["message"]
