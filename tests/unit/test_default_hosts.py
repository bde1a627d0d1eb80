"""A19: the command limits every host by default, by where a source really reads; the library does not."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from data_source_orchestrator import ConcurrencyPolicy, LimitPolicy, RateLimitPolicy, SourceCoordinator
from data_source_orchestrator.assemble import configured_sources, hosts_of
from data_source_orchestrator.settings import HOST_LIMITS, Settings, host_limits, host_of, load
from data_source_orchestrator.testing import scripted

LIMITS = """
[hosts."app.wzstats.gg".limits.rate]
limit = 1
per = "2s"

[hosts.us.limits.concurrency]
limit = 1

[sources.codmunity]
host = "us"
"""


def settled(folder: Path, toml: str = "", **environ: str) -> Settings:
    (folder / "dso.toml").write_text(toml)
    return load(environ=environ, folder=folder)


def hosts(settings: Settings) -> Mapping[str, str | None]:
    return {source.key: source.host for source in configured_sources(settings)}


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://app.wzstats.gg", "app.wzstats.gg"),
        ("https://App.WZStats.GG:443/x", "app.wzstats.gg"),
        ("http://a.example:80", "a.example"),
        ("http://a.example.:8080/", "a.example:8080"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://[::1]:8080/x", "[::1]:8080"),
        ("https://user:hunter2@a.example/", "a.example"),
        ("a.example", None),
        ("ftp://a.example", None),
        ("http://a.example:port", None),
        ("", None),
    ],
)
def test_a_host_is_named_by_its_address_with_the_port_where_that_is_not_the_usual_one(address: str, host: str | None):
    assert host_of(address) == host


def test_each_shipped_source_names_its_own_host_a19(tmp_path: Path):
    assert hosts(settled(tmp_path)) == {
        "codarmory": "raw.githubusercontent.com",
        "wzstats": "app.wzstats.gg",
        "codmunity": "codmunity.gg",
    }


def test_a_base_url_counts_by_its_real_host_and_sources_on_one_host_share_its_limits_a19(tmp_path: Path):
    mirror = "http://mirror.example:8080"
    settings = settled(tmp_path, WZSTATS_BASE_URL=f"{mirror}/wz", CODARMORY_BASE_URL=f"{mirror}/ca")
    assert hosts(settings) == {
        "codarmory": "mirror.example:8080",
        "wzstats": "mirror.example:8080",
        "codmunity": "codmunity.gg",
    }
    assert hosts_of(configured_sources(settings), settings) == {
        "mirror.example:8080": HOST_LIMITS,
        "codmunity.gg": HOST_LIMITS,
    }


def test_what_the_settings_leave_out_of_a_hosts_limits_is_as_for_every_host_a19(tmp_path: Path):
    settings = settled(tmp_path, LIMITS)
    limits = hosts_of(configured_sources(settings), settings)
    assert limits["app.wzstats.gg"] == LimitPolicy(
        rate=RateLimitPolicy(limit=1, per=2), concurrency=HOST_LIMITS.concurrency
    )
    assert limits["us"] == LimitPolicy(rate=HOST_LIMITS.rate, concurrency=ConcurrencyPolicy(limit=1))
    assert limits["raw.githubusercontent.com"] == HOST_LIMITS
    assert "codmunity.gg" not in limits


def test_the_library_limits_no_host_by_itself_a19():
    coordinator = SourceCoordinator([scripted("a", [1]).but(upstream="https://a.example")])
    source = coordinator.get_source("a")
    assert source is not None
    assert (source.host, source.limits, coordinator.guard("a").limits) == (None, None, None)
    assert host_limits([], {}) == {}


def test_a_source_with_all_its_retries_may_come_at_once_a19():
    assert HOST_LIMITS.rate is not None
    assert HOST_LIMITS.rate.at_once >= 1 + 3
