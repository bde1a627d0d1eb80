"""The environment (B16): the seed's names and units, `.env` below, errors that teach (D28, D29)."""

from pathlib import Path

import pytest

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.settings import VARIABLES, load

MILLISECONDS = "give a whole number of milliseconds from 1 to 3600000"
SPELLINGS = "give true or false (or yes, no, on, off, 1, 0)"


def refusal(folder: Path, **environ: str) -> str:
    with pytest.raises(ConfigurationError) as told:
        load(environ=environ, folder=folder)
    return str(told.value)


def test_b16_the_seeds_three_variables_act_in_the_seeds_units(tmp_path: Path):
    environ = {
        "DATA_ORCHESTRATOR_TIMEOUT_MS": "1500",
        "DATA_ORCHESTRATOR_MAX_RETRIES": "7",
        "DATA_ORCHESTRATOR_PARALLEL_EXECUTION": "false",
    }
    run = load(environ=environ, folder=tmp_path).run
    assert (run.timeout, run.max_retries, run.parallel_execution) == (1.5, 7, False)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("abc", ""),
        ("10s", "; did you mean 10000?"),
        ("2m", "; did you mean 120000?"),
        ("2h", ""),
        ("0", ""),
        ("-1", ""),
        ("1.5", ""),
        ("NaN", ""),
        ("1e3", ""),
        ("1_000", ""),
        ("٣٠", ""),
        ("3600001", ""),
    ],
)
def test_d08_d28_a_bad_timeout_is_refused_and_never_guessed(tmp_path: Path, text: str, hint: str):
    told = refusal(tmp_path, DATA_ORCHESTRATOR_TIMEOUT_MS=text)
    assert told == f"variable DATA_ORCHESTRATOR_TIMEOUT_MS is {text!r}; {MILLISECONDS}{hint}"


def test_a_monstrous_value_is_not_told_in_full(tmp_path: Path):
    told = refusal(tmp_path, DATA_ORCHESTRATOR_TIMEOUT_MS="9" * 5000)
    assert told == f"variable DATA_ORCHESTRATOR_TIMEOUT_MS is '{'9' * 60}…'; {MILLISECONDS}"


@pytest.mark.parametrize("text", ["abc", "10s", "-1", "1.5", "NaN", "three", "0x3"])
def test_d27_d28_a_bad_number_of_retries_is_refused_and_never_guessed(tmp_path: Path, text: str):
    told = refusal(tmp_path, DATA_ORCHESTRATOR_MAX_RETRIES=text)
    accepted = "give a whole number of 0 or more, in digits alone"
    assert told == f"variable DATA_ORCHESTRATOR_MAX_RETRIES is {text!r}; {accepted}"


@pytest.mark.parametrize("text", ["true", "TRUE", "True ", "yes", "YES", "on", "1", "t", "y"])
def test_d29_the_usual_spellings_of_true_are_read(tmp_path: Path, text: str):
    settings = load(environ={"DATA_ORCHESTRATOR_PARALLEL_EXECUTION": text}, folder=tmp_path)
    assert settings.run.parallel_execution is True


@pytest.mark.parametrize("text", ["false", "FALSE", "FALSE ", " False", "no", "No", "off", "0", "f", "n"])
def test_d29_the_usual_spellings_of_false_are_read(tmp_path: Path, text: str):
    settings = load(environ={"DATA_ORCHESTRATOR_PARALLEL_EXECUTION": text}, folder=tmp_path)
    assert settings.run.parallel_execution is False


@pytest.mark.parametrize("text", ["abc", "2", "tru", "falsch", "null"])
def test_d29_anything_else_is_no_boolean(tmp_path: Path, text: str):
    told = refusal(tmp_path, DATA_ORCHESTRATOR_PARALLEL_EXECUTION=text)
    assert told == f"variable DATA_ORCHESTRATOR_PARALLEL_EXECUTION is {text!r}; {SPELLINGS}"


@pytest.mark.parametrize("text", ["", " ", "\t"])
def test_an_empty_variable_counts_as_unset(tmp_path: Path, text: str):
    names = (
        "DATA_ORCHESTRATOR_TIMEOUT_MS",
        "DATA_ORCHESTRATOR_MAX_RETRIES",
        "DATA_ORCHESTRATOR_PARALLEL_EXECUTION",
        "DSO_DATA_DIR",
        "DSO_CONFIG",
        "DSO_NO_SUCH_THING",
        "CODARMORY_BASE_URL",
    )
    settings = load(environ=dict.fromkeys(names, text), folder=tmp_path)
    assert (settings.origins, settings.environment, settings.data_dir) == ({}, {}, None)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("DATA_ORCHESTRATOR_TIMEOUT", "did you mean DATA_ORCHESTRATOR_TIMEOUT_MS?"),
        ("DATA_ORCHESTRATOR_MAX_RETRY", "did you mean DATA_ORCHESTRATOR_MAX_RETRIES?"),
        ("DSO_DATADIR", "did you mean DSO_DATA_DIR?"),
        (
            "DSO_QQQQQQQQQQQQQQQQQQ",
            f"there are {', '.join(VARIABLES)}",
        ),
    ],
)
def test_an_unknown_variable_of_ours_is_refused_with_the_nearest_one(tmp_path: Path, name: str, hint: str):
    assert refusal(tmp_path, **{name: "1"}) == f"variable {name} is not known; {hint}"


def test_variables_of_our_own_tests_and_of_others_are_let_through(tmp_path: Path):
    environ = {"DSO_TEST_EFFORT": "full", "WZSTATS_SCRAPER_ENABLED": "maybe", "PATH": "/bin"}
    settings = load(environ=environ, folder=tmp_path)
    assert settings.environment == environ
    assert settings.origins == {}


def test_b16_dotenv_is_read_below_the_real_environment(tmp_path: Path):
    (tmp_path / ".env").write_text(
        "DATA_ORCHESTRATOR_TIMEOUT_MS=1000\nDATA_ORCHESTRATOR_MAX_RETRIES=5\nCODMUNITY_BASE_URL=http://a.example\n",
        encoding="utf-8",
    )
    settings = load(environ={"DATA_ORCHESTRATOR_TIMEOUT_MS": "2000", "HOME": "/h"}, folder=tmp_path)
    assert (settings.run.timeout, settings.run.max_retries) == (2, 5)
    assert settings.origins == {
        "run.timeout": "variable DATA_ORCHESTRATOR_TIMEOUT_MS",
        "run.max_retries": "variable DATA_ORCHESTRATOR_MAX_RETRIES (file .env)",
    }
    assert settings.environment == {
        "DATA_ORCHESTRATOR_TIMEOUT_MS": "2000",
        "DATA_ORCHESTRATOR_MAX_RETRIES": "5",
        "CODMUNITY_BASE_URL": "http://a.example",
        "HOME": "/h",
    }


def test_an_empty_variable_lets_the_one_in_dotenv_through(tmp_path: Path):
    (tmp_path / ".env").write_text("DATA_ORCHESTRATOR_MAX_RETRIES=5\n", encoding="utf-8")
    settings = load(environ={"DATA_ORCHESTRATOR_MAX_RETRIES": ""}, folder=tmp_path)
    assert settings.run.max_retries == 5


def test_a_bad_value_or_name_in_dotenv_is_told_with_that_file(tmp_path: Path):
    (tmp_path / ".env").write_text("DATA_ORCHESTRATOR_MAX_RETRIES=x\nDSO_DATADIR=y\n", encoding="utf-8")
    told = refusal(tmp_path).split("\n")
    assert told[0].startswith("variable DATA_ORCHESTRATOR_MAX_RETRIES (file .env) is 'x'; ")
    assert told[1] == "variable DSO_DATADIR (file .env) is not known; did you mean DSO_DATA_DIR?"


def test_a_line_of_dotenv_that_cannot_be_read_is_told_with_its_number(tmp_path: Path):
    (tmp_path / ".env").write_text("A=1\nwhat is this\nB='open\n", encoding="utf-8")
    fix = "cannot be read; give NAME=value, with quotes closed on its line"
    assert refusal(tmp_path).split("\n") == [f"file .env, line 2: {fix}", f"file .env, line 3: {fix}"]


def test_a_dotenv_that_is_not_text_is_one_sentence(tmp_path: Path):
    (tmp_path / ".env").write_bytes(b"A=\xff")
    assert refusal(tmp_path) == "file .env is not UTF-8 text; save it in that encoding"


def test_a_folder_called_dotenv_is_somebodys_virtual_environment_and_no_settings(tmp_path: Path):
    (tmp_path / ".env").mkdir()
    assert load(environ={}, folder=tmp_path).environment == {}


def test_dso_config_may_stand_in_dotenv(tmp_path: Path):
    (tmp_path / ".env").write_text("DSO_CONFIG=my.toml", encoding="utf-8")
    (tmp_path / "my.toml").write_text("[run]\ntimeout = 5", encoding="utf-8")
    assert load(environ={}, folder=tmp_path).run.timeout == 5
