"""Settings from four origins: defaults < `dso.toml` < environment < flags."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.policies import HealthPolicy, OrchestratorConfig, RetryConfig
from data_source_orchestrator.settings import Settings, SourceOverrides, load
from data_source_orchestrator.web.policy import HttpPolicy

WHOLE_FILE = """
plugins = ["cod", "prices"]

[run]
timeout = "2m"
max_retries = 1
parallel_execution = false
fail_fast = true
min_successful_sources = 2

[retry]
max_retries = 4
base_delay = "500ms"
max_delay = 20
exponential_backoff = false
jitter = "full"

[health]
degraded_after = 2
down_after = 4
recent_failures = 3
recent_window = 20
slow_factor = 3.0
slow_share = 0.5

[http]
max_body = 1000
max_redirects = 0
connect_timeout = "2s"
user_agent = "somebody"
trusted = ["10.0.0.0/8"]
cache = false
cache_bytes = 5000
cache_entry_bytes = 600

[store]
data_dir = "kept"

[sources.codarmory]
enabled = false
priority = 9
timeout = 40
attempt_timeout = "5s"
max_retries = 0
update_frequency = "monthly"
reliability = 0.5

[sources.codarmory.contract]
mode = "warn"
minimum_rows = 3
maximum_rows = 9
largest_shrink = 0.5
largest_quarantine = 0

[sources.codarmory.breaker]
failures = 7
cool_down = "1m"
max_cool_down = "1h"
spread = 0
slow_ratio = 0.5
slow_after = "800ms"
window_seconds = "1m"

[sources.wzstats]
"""


def settled(
    folder: Path,
    text: str = "",
    environ: Mapping[str, str] | None = None,
    **flags: object,
) -> Settings:
    (folder / "dso.toml").write_text(text, encoding="utf-8")
    return load(environ=environ or {}, folder=folder, flags=flags)


def test_b08_every_setting_of_the_file_arrives(tmp_path: Path):
    settings = settled(tmp_path, WHOLE_FILE)
    assert settings.run == OrchestratorConfig(
        timeout=120, max_retries=1, parallel_execution=False, fail_fast=True, min_successful_sources=2
    )
    assert settings.retry == RetryConfig(
        max_retries=4, base_delay=0.5, max_delay=20, exponential_backoff=False, jitter="full"
    )
    assert settings.health == HealthPolicy(
        degraded_after=2, down_after=4, recent_failures=3, recent_window=20, slow_factor=3.0, slow_share=0.5
    )
    assert settings.http == HttpPolicy(
        max_body=1000,
        max_redirects=0,
        connect_timeout=2,
        user_agent="somebody",
        trusted=("10.0.0.0/8",),
        cache=False,
        cache_bytes=5000,
        cache_entry_bytes=600,
    )
    assert settings.data_dir == tmp_path / "kept"
    assert settings.plugins == ("cod", "prices")
    assert settings.sources == {
        "codarmory": SourceOverrides(
            enabled=False,
            priority=9,
            timeout=40.0,
            attempt_timeout=5.0,
            max_retries=0,
            update_frequency="monthly",
            reliability=0.5,
            contract={
                "mode": "warn",
                "minimum_rows": 3,
                "maximum_rows": 9,
                "largest_shrink": 0.5,
                "largest_quarantine": 0.0,
            },
            breaker={
                "failures": 7,
                "cool_down": 60.0,
                "max_cool_down": 3600.0,
                "spread": 0.0,
                "slow_ratio": 0.5,
                "slow_after": 0.8,
                "window_seconds": 60.0,
            },
            origin="file dso.toml [sources.codarmory]",
        ),
        "wzstats": SourceOverrides(origin="file dso.toml [sources.wzstats]"),
    }


def test_nobodys_settings_are_the_defaults_of_the_readme(tmp_path: Path):
    """The defaults of behaviours.md, section 1 (D44)."""
    settings = load(environ={}, folder=tmp_path)
    assert settings == Settings()
    run, retry = settings.run, settings.retry
    assert (run.timeout, run.max_retries, run.min_successful_sources) == (60, 3, 1)
    assert (run.parallel_execution, run.fail_fast) == (True, False)
    assert (retry.max_retries, retry.base_delay, retry.max_delay) == (None, 1, 10)
    assert (retry.exponential_backoff, retry.jitter) == (True, "quarter")
    assert (settings.data_dir, settings.plugins, settings.sources, settings.origins) == (None, None, {}, {})


def test_flags_outdo_the_environment_which_outdoes_the_file(tmp_path: Path):
    text = "[run]\ntimeout = 1\nmax_retries = 1\nparallel_execution = true\nfail_fast = true"
    environ = {"DATA_ORCHESTRATOR_TIMEOUT_MS": "2000", "DATA_ORCHESTRATOR_MAX_RETRIES": "2"}
    settings = settled(tmp_path, text, environ, timeout=3, data_dir=None)
    assert (settings.run.timeout, settings.run.max_retries, settings.run.fail_fast) == (3, 2, True)
    assert settings.origins == {
        "run.timeout": "flag --timeout",
        "run.max_retries": "variable DATA_ORCHESTRATOR_MAX_RETRIES",
        "run.parallel_execution": "file dso.toml [run] parallel_execution",
        "run.fail_fast": "file dso.toml [run] fail_fast",
    }


@pytest.mark.parametrize(
    ("name", "value", "held"),
    [
        ("timeout", "500ms", 0.5),
        ("timeout", "45", 45.0),
        ("max_retries", 0, 0),
        ("parallel_execution", False, False),
        ("fail_fast", True, True),
        ("min_successful_sources", 2, 2),
    ],
)
def test_a_flag_sets_its_part_of_the_run(tmp_path: Path, name: str, value: object, held: object):
    assert getattr(load(environ={}, folder=tmp_path, flags={name: value}).run, name) == held


def test_a_flag_that_was_not_given_changes_nothing(tmp_path: Path):
    assert settled(tmp_path, "[run]\ntimeout = 5", timeout=None).run.timeout == 5


def test_a_value_that_is_overridden_is_not_judged(tmp_path: Path):
    assert settled(tmp_path, "[run]\ntimeout = 90000", timeout=5).run.timeout == 5


def test_d25_d26_no_retries_is_a_value_wherever_it_is_given(tmp_path: Path):
    assert settled(tmp_path, "[run]\nmax_retries = 0").run.max_retries == 0
    assert settled(tmp_path, "[retry]\nmax_retries = 0").retry.max_retries == 0
    assert settled(tmp_path, "", {"DATA_ORCHESTRATOR_MAX_RETRIES": "0"}).run.max_retries == 0
    assert settled(tmp_path, "[sources.x]\nmax_retries = 0").sources["x"].max_retries == 0


def test_a04_d26_a_later_origins_number_of_retries_is_not_undone_by_the_files_retry_table(tmp_path: Path):
    text = "[run]\nmax_retries = 9\n[retry]\nmax_retries = 8"
    assert settled(tmp_path, text).retry.max_retries == 8
    by_variable = settled(tmp_path, text, {"DATA_ORCHESTRATOR_MAX_RETRIES": "2"})
    assert (by_variable.run.max_retries, by_variable.retry.max_retries) == (2, None)
    by_flag = settled(tmp_path, text, max_retries=0)
    assert (by_flag.run.max_retries, by_flag.retry.max_retries) == (0, None)
    assert "retry.max_retries" not in by_flag.origins


def test_discovery_is_on_unless_the_file_says_otherwise(tmp_path: Path):
    assert settled(tmp_path).plugins is None
    assert settled(tmp_path, "plugins = []").plugins == ()


def test_a_relative_data_folder_starts_from_where_it_was_written(tmp_path: Path):
    elsewhere = tmp_path / "etc"
    elsewhere.mkdir()
    (elsewhere / "my.toml").write_text('[store]\ndata_dir = "kept"', encoding="utf-8")
    in_file = load(environ={}, folder=tmp_path, config=Path("etc/my.toml"))
    assert in_file.data_dir == elsewhere / "kept"
    assert load(environ={"DSO_DATA_DIR": "kept"}, folder=tmp_path).data_dir == tmp_path / "kept"
    assert load(environ={}, folder=tmp_path, flags={"data_dir": Path("kept")}).data_dir == tmp_path / "kept"
    assert load(environ={"DSO_DATA_DIR": "/kept"}, folder=tmp_path).data_dir == Path("/kept")


def test_a_tilde_is_the_home_folder_of_the_environment_that_was_handed_in(tmp_path: Path):
    settings = settled(tmp_path, '[store]\ndata_dir = "~/kept"', {"HOME": "/home/ada"})
    assert settings.data_dir == Path("/home/ada/kept")
    assert settled(tmp_path, '[store]\ndata_dir = "~/kept"').data_dir == tmp_path / "~" / "kept"


def test_an_empty_table_hides_nothing_of_the_other_origins(tmp_path: Path):
    assert settled(tmp_path, "[run]", timeout=5).run.timeout == 5


def test_d30_settings_cannot_be_changed_by_whoever_reads_them(tmp_path: Path):
    settings = settled(tmp_path, "[sources.x]", {"COLOUR": "red"})
    with pytest.raises(FrozenInstanceError):
        settings.data_dir = tmp_path  # type: ignore[misc]  # that it cannot be set is the subject
    for mapping in (settings.sources, settings.environment, settings.origins):
        with pytest.raises(TypeError):
            mapping["ghost"] = "x"  # type: ignore[index]  # that it cannot be set is the subject


def test_variables_are_not_shown_where_settings_are_printed(tmp_path: Path):
    assert "hunter2" not in repr(settled(tmp_path, "", {"TOKEN": "hunter2"}))


def test_pydantic_is_loaded_only_when_settings_are():
    program = (
        "import sys, pathlib, data_source_orchestrator.settings as s; before = 'pydantic' in sys.modules;"
        "s.load(environ={}, folder=pathlib.Path('/nowhere')); print(before, 'pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 — our own program
    assert done.stdout.split() == ["False", "True"]


def test_settings_raise_only_errors_that_teach(tmp_path: Path):
    with pytest.raises(ConfigurationError) as told:
        settled(tmp_path, "[run]\ntimeout = 0", {"DATA_ORCHESTRATOR_MAX_RETRIES": "abc", "DSO_DATADIR": "x"}, timout=1)
    assert str(told.value).split("\n") == [
        "variable DATA_ORCHESTRATOR_MAX_RETRIES is 'abc'; give a whole number of 0 or more, in digits alone",
        "variable DSO_DATADIR is not known; did you mean DSO_DATA_DIR?",
        "flag --timout is not known; did you mean --timeout?",
        "file dso.toml [run] timeout is 0; give more than 0 and at most 3600 seconds",
    ]
