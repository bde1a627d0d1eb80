"""What the plug-in tells the house, what its variables do, and what it costs to import."""

import subprocess
import sys
from typing import Any

import pytest

from cod_sources import plugin
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.source import Source

SWITCHES = ("WZSTATS_SCRAPER_ENABLED", "CODMUNITY_SCRAPER_ENABLED")
ADDRESSES = ("CODARMORY_BASE_URL", "WZSTATS_BASE_URL", "CODMUNITY_BASE_URL", "CODMUNITY_API_BASE_URL")


def built(**env: str) -> dict[str, Source[Any]]:
    return {source.key: source for source in plugin.sources(env)}


def python(program: str) -> str:
    # The program is ours, and so is the interpreter.
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout  # noqa: S603 — see above


def test_the_three_sources_are_those_of_the_seed():
    """B17: keys, titles, priorities, frequencies, reliability and what they provide."""
    sources = built()
    assert [(s.key, s.title, s.priority, s.update_frequency, s.reliability) for s in sources.values()] == [
        ("codarmory", "CODArmory", 1, "weekly", 0.95),
        ("wzstats", "WZStats", 2, "hourly", 0.90),
        ("codmunity", "CODMunity", 3, "daily", 0.92),
    ]
    assert sources["codarmory"].provides == ("base_stats", "attachments", "categories")
    assert sources["wzstats"].provides == ("tier", "win_rate", "pick_rate")
    assert sources["codmunity"].provides == ("ttk", "damage_range", "recoil", "bullet_velocity")
    assert all(
        (s.enabled, s.timeout, s.attempt_timeout, s.max_retries) == (True, 30, 10, None) for s in sources.values()
    )
    assert [s.contract.minimum_rows for s in sources.values()] == [40, 40, 20]
    assert all(s.probe is not None for s in sources.values())


def test_every_capability_has_a_field_that_would_carry_it_and_every_field_an_order():
    provided = {capability for source in built().values() for capability in source.provides}
    assert set(plugin.rules.capabilities) == provided
    assert plugin.rules.order["tier"][0] == "wzstats"
    assert plugin.rules.order["ballistics"][0] == plugin.rules.order["popularity"][0] == "codmunity"
    assert plugin.rules.order["attachments"][0] == plugin.rules.order["unlock"][0] == "codarmory"


@pytest.mark.parametrize("variable", SWITCHES)
@pytest.mark.parametrize("value", ["false", "FALSE", "0", "no", "Off", " false "])
def test_a_switch_set_to_false_in_any_spelling_switches_its_source_off(variable: str, value: str):
    """D29: FALSE is false."""
    sources = built(**{variable: value})
    key = variable.partition("_")[0].lower()
    assert sources[key].enabled is False
    assert sources[key].switched_off_by == variable
    assert [s.key for s in sources.values() if s.enabled] == [
        k for k in ("codarmory", "wzstats", "codmunity") if k != key
    ]


@pytest.mark.parametrize("value", ["true", "TRUE", "1", "yes", "on", "", "  "])
def test_a_switch_set_to_true_or_left_blank_changes_nothing(value: str):
    source = built(WZSTATS_SCRAPER_ENABLED=value)["wzstats"]
    assert source.enabled
    assert source.switched_off_by is None


@pytest.mark.parametrize("variable", SWITCHES)
@pytest.mark.parametrize("value", ["abc", "2", "truee", "disabled"])
def test_a_switch_that_cannot_be_read_is_an_error_that_teaches(variable: str, value: str):
    """D28, D29: never silently the default."""
    with pytest.raises(ConfigurationError) as caught:
        built(**{variable: value})
    assert all(word in str(caught.value) for word in (variable, repr(value), "true or false"))


@pytest.mark.parametrize("variable", ADDRESSES)
@pytest.mark.parametrize(
    "value",
    [
        "codmunity.gg",
        "ftp://a.example",
        "http://",
        "https:///x",
        "http://a.example:port",
        "http://a b",
        "http://a/?x=1",
        "/x",
    ],
)
def test_an_address_that_is_no_web_address_is_an_error_that_teaches(variable: str, value: str):
    with pytest.raises(ConfigurationError) as caught:
        built(**{variable: value})
    assert all(word in str(caught.value) for word in (variable, repr(value), "http://", "https://"))


@pytest.mark.parametrize(
    "value", ["http://127.0.0.1:8080", "https://mirror.example/cod/", "HTTP://a.example", "http://[::1]:9/"]
)
def test_loopback_paths_and_slashes_at_the_end_are_accepted(value: str):
    assert set(built(**dict.fromkeys(ADDRESSES, value))) == {"codarmory", "wzstats", "codmunity"}


def test_every_variable_is_declared_with_meaning_and_default():
    assert {variable.name for variable in plugin.variables} == {*SWITCHES, *ADDRESSES}
    assert all(variable.meaning and variable.default for variable in plugin.variables)


def test_importing_the_plugin_loads_no_library():
    heavy = "{'msgspec', 'selectolax', 'aiohttp', 'cod_sources.sandbox', 'cod_sources.codarmory'}"
    assert python(f"import cod_sources, sys; print({heavy} & set(sys.modules))") == "set()\n"


@pytest.mark.parametrize("library", ["msgspec", "selectolax"])
def test_without_the_extra_the_sources_are_an_error_that_names_it(library: str):
    told = python(
        f"import sys; sys.modules[{library!r}] = None\n"
        "from cod_sources import plugin\n"
        "from data_source_orchestrator.core.errors import ConfigurationError\n"
        "try: plugin.sources({})\n"
        "except ConfigurationError as error: print(error)"
    )
    assert library in told
    assert "install data-source-orchestrator[cod]" in told


@pytest.mark.real_time
async def test_the_sandbox_gives_addresses_that_the_sources_can_be_built_from():
    assert plugin.sandbox is not None
    async with plugin.sandbox(faults={}, port=0) as variables:
        assert set(ADDRESSES[:3]) <= set(variables)
        assert set(built(**variables)) == {"codarmory", "wzstats", "codmunity"}
