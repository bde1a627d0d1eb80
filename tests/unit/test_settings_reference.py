"""The table of settings, held against the model that checks them and the engine that they act on."""

from dataclasses import MISSING, fields
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from data_source_orchestrator.core.contract import Contract
from data_source_orchestrator.core.policies import (
    BreakerPolicy,
    BudgetPolicy,
    CachePolicy,
    ChaosPolicy,
    ConcurrencyPolicy,
    HealthPolicy,
    HedgePolicy,
    OrchestratorConfig,
    RateLimitPolicy,
    RetryConfig,
)
from data_source_orchestrator.core.source import Source
from data_source_orchestrator.settings import CONFIG, SETTINGS, VARIABLES, Setting, SourceOverrides, load
from data_source_orchestrator.settings.layers import FLAGS, READERS
from data_source_orchestrator.settings.model import SettingsTable
from data_source_orchestrator.settings.reference import ANY
from data_source_orchestrator.web.policy import HttpPolicy

FUNCTIONS = {"behaviour_rate", "behaviours"}
"""What no file can hold, and what is about it."""

BY_KEY = {setting.key: setting for setting in SETTINGS}


def keys_of(model: type[BaseModel], above: str = "") -> list[str]:
    found: list[str] = []
    for name, member in model.model_fields.items():
        inner = member.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += keys_of(inner, f"{above}{name}.")
        elif args := [arg for arg in get_args(inner) if isinstance(arg, type) and issubclass(arg, BaseModel)]:
            found += keys_of(args[0], f"{above}{name}.{ANY[name]}.")
        else:
            found.append(f"{above}{name}")
    return found


def test_the_table_tells_every_key_that_the_model_takes_and_no_other():
    assert list(BY_KEY) == keys_of(SettingsTable)
    assert len(BY_KEY) == len(SETTINGS)


@pytest.mark.parametrize("setting", [CONFIG, *SETTINGS], ids=lambda s: s.key)
def test_every_setting_has_one_sentence_for_the_docs(setting: Setting):
    assert setting.meaning[0].isupper()
    assert setting.meaning.endswith(".")
    assert ". " not in setting.meaning
    assert len(setting.meaning) > 20


@pytest.mark.parametrize(
    ("table", "policy"),
    [
        ("run", OrchestratorConfig),
        ("retry", RetryConfig),
        ("health", HealthPolicy),
        ("http", HttpPolicy),
        ("run.budget", BudgetPolicy),
        ("limits.rate", RateLimitPolicy),
        ("limits.concurrency", ConcurrencyPolicy),
        ("hosts.HOST.limits.rate", RateLimitPolicy),
        ("hosts.HOST.limits.concurrency", ConcurrencyPolicy),
        ("sources.KEY.breaker", BreakerPolicy),
        ("sources.KEY.limits.rate", RateLimitPolicy),
        ("sources.KEY.limits.concurrency", ConcurrencyPolicy),
        ("sources.KEY.budget", BudgetPolicy),
        ("sources.KEY.hedge", HedgePolicy),
        ("sources.KEY.cache", CachePolicy),
        ("sources.KEY.chaos", ChaosPolicy),
    ],
)
def test_b08_every_member_of_a_policy_can_be_set_and_its_default_is_told(table: str, policy: type):
    told = {key: setting for key, setting in BY_KEY.items() if key.rpartition(".")[0] == table}
    members = [member for member in fields(policy) if member.name not in FUNCTIONS]
    assert list(told) == [f"{table}.{member.name}" for member in members]
    for member in members:
        default = None if member.default is MISSING else member.default
        if (table, member.name) == ("http", "cache"):
            default = True  # A19: settings add validators, and a policy made by hand does not
        assert told[f"{table}.{member.name}"].default == default


def test_the_defaults_told_of_a_source_are_the_sources_own():
    plain = Source(key="x", fetcher=lambda: None)
    for name in (
        "enabled",
        "priority",
        "timeout",
        "attempt_timeout",
        "max_retries",
        "update_frequency",
        "reliability",
        "host",
    ):
        assert BY_KEY[f"sources.KEY.{name}"].default == getattr(plain, name)
    assert BY_KEY["sources.KEY.contract.minimum_rows"].default == Contract().minimum_rows


def test_the_overrides_of_a_source_have_a_member_for_each_of_its_settings():
    names = [key.split(".")[2] for key in BY_KEY if key.startswith("sources.KEY.")]
    assert [member.name for member in fields(SourceOverrides)] == [*dict.fromkeys(names), "origin"]


def test_b16_the_variables_are_the_seeds_three_and_our_own_two():
    assert VARIABLES == (
        "DSO_CONFIG",
        "DATA_ORCHESTRATOR_TIMEOUT_MS",
        "DATA_ORCHESTRATOR_MAX_RETRIES",
        "DATA_ORCHESTRATOR_PARALLEL_EXECUTION",
        "DSO_DATA_DIR",
    )
    assert set(READERS) == set(VARIABLES) - {"DSO_CONFIG"}


def test_flags_are_named_after_the_settings_of_a_run_and_of_the_store():
    assert {
        **{name: ("run", name) for name in OrchestratorConfig.__dataclass_fields__},
        "data_dir": ("store", "data_dir"),
    } == FLAGS


def test_every_default_told_is_what_an_empty_folder_gives(tmp_path: Path):
    settings = load(environ={}, folder=tmp_path)
    for section in ("run", "retry", "health", "http"):
        for key, setting in BY_KEY.items():
            if key.startswith(f"{section}.") and key.count(".") == 1 and key != "retry.jitter":
                assert getattr(getattr(settings, section), key.split(".")[1]) == setting.default
    for key, setting in BY_KEY.items():
        if key.startswith("run.budget."):
            assert getattr(settings.budget, key.split(".")[2]) == setting.default
    assert (settings.limits, dict(settings.hosts), dict(settings.sources)) == (None, {}, {})
