"""Variables that look like a plug-in's and are none: refused where they can only be a mistake, else let through."""

from pathlib import Path

import pytest

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.settings import load, refuse_strangers

DECLARED = ("SHOP_BASE_URL", "SHOP_API_BASE_URL", "CORNER_SHOP_SCRAPER_ENABLED", "HTTP_CACHE_FOLDER")
SOURCES = ("shop", "corner-shop", "market")


def check(folder: Path, **environ: str) -> None:
    refuse_strangers(load(environ=environ, folder=folder), DECLARED, SOURCES)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SHOP_BASEURL", "did you mean SHOP_BASE_URL?"),
        ("shop_base_url", "did you mean SHOP_BASE_URL?"),
        ("CORNER_SHOP_ENABLED", "did you mean CORNER_SHOP_SCRAPER_ENABLED?"),
        ("CORNERSHOP_SCRAPER_ENABLED", "did you mean CORNER_SHOP_SCRAPER_ENABLED?"),
        ("CORNER_SHOPS_SCRAPER_ENABLED", "did you mean CORNER_SHOP_SCRAPER_ENABLED?"),
        ("SHOP_QQQQQQQQQQQQQQQQQQQQQQQ", f"there are {', '.join(DECLARED)}"),
    ],
)
def test_a_misspelt_variable_of_a_plug_in_is_refused_with_the_nearest_one(tmp_path: Path, name: str, meant: str):
    with pytest.raises(ConfigurationError) as told:
        check(tmp_path, **{name: "1"})
    assert str(told.value) == f"variable {name} is not known; {meant}"


@pytest.mark.parametrize(
    "name", [*DECLARED, "SHOPPING_LIST", "MARKET_HOURS", "HTTP_PROXY", "HTTP_CACHE", "PATH", "BASE_URL"]
)
def test_what_is_declared_or_may_be_anybodys_is_let_through(tmp_path: Path, name: str):
    check(tmp_path, **{name: "1"})


def test_each_has_its_line_and_one_from_dotenv_is_told_with_that_file(tmp_path: Path):
    (tmp_path / ".env").write_text("SHOP_URL=1\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as told:
        check(tmp_path, SHOP_BASE="1")
    assert sorted(line.split(" is ")[0] for line in str(told.value).split("\n")) == [
        "variable SHOP_BASE",
        "variable SHOP_URL (file .env)",
    ]


def test_one_that_is_set_to_nothing_is_not_set(tmp_path: Path):
    check(tmp_path, SHOP_BASEURL=" ")
