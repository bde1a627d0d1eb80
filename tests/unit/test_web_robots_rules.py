import tracemalloc

import pytest

from data_source_orchestrator.web import HttpPolicy
from data_source_orchestrator.web.introduction import product_token, user_agent
from data_source_orchestrator.web.robots_copy import PARSED, origin_of
from data_source_orchestrator.web.robots_rules import LONGEST_DELAY, RobotsRules

SITE = "https://a.example"


def allows(text: str, path: str, token: str = "price-bot") -> bool:  # noqa: S107 — a product's name
    return RobotsRules(text, token).allows(SITE + path)


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("User-agent: *\nAllow: /a\nDisallow: /a/b", "/a/b/c", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
        ("User-agent: *\nDisallow: /*.json$", "/x/y.json", False),
        ("User-agent: *\nDisallow: /*.json$", "/x/y.json?z", True),
        ("User-agent: *\nDisallow: /a%20b", "/a b", False),
        ("User-agent: *\nDisallow: /\xe4", "/%C3%A4", False),
        ("User-agent: *\nDisallow: /a", "/robots.txt", True),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("\r\nuser-AGENT : *\r\ndisALLOW : /a # not here\r\n", "/a", False),
        ("<!DOCTYPE html><html><body>Not found</body></html>", "/a", True),
    ],
)
def test_the_longest_rule_that_matches_decides_as_rfc_9309_has_it(text: str, path: str, expected: bool):
    assert allows(text, path) is expected


GROUPS = """
User-agent: other-bot
User-agent: Price-Bot
Sitemap: https://a.example/sitemap.xml
Disallow: /ours

User-agent: *
Disallow: /

User-agent: price-bot
Disallow: /later
"""


@pytest.mark.parametrize(
    ("token", "path", "expected"),
    [
        ("price-bot", "/x", True),
        ("price-bot", "/ours", False),
        ("price-bot", "/later", False),
        ("stock-bot", "/x", False),
        ("price", "/x", False),
        ("my-price-bot", "/x", False),
    ],
)
def test_the_groups_that_name_us_speak_to_us_and_those_for_all_only_where_none_does(
    token: str, path: str, expected: bool
):
    assert allows(GROUPS, path, token) is expected


def test_a_line_that_means_nothing_interferes_with_nothing():
    assert not allows("User-agent: price-bot\nNoindex: /x\nwhat is this\nUser-agent: *\nDisallow: /a", "/a")


@pytest.mark.parametrize(
    ("told", "expected"), [("7", 7.0), ("0.5", 0.5), ("0", None), ("soon", None), ("-3", None), ("1e9", LONGEST_DELAY)]
)
def test_a_crawl_delay_is_what_the_group_for_us_says(told: str, expected: float | None):
    assert RobotsRules(f"User-agent: price-bot\nCrawl-delay: {told}", "price-bot").crawl_delay == expected
    assert RobotsRules(f"User-agent: other-bot\nCrawl-delay: {told}", "price-bot").crawl_delay is None


def test_a_file_that_multiplies_agents_by_rules_stays_small():
    agents = "".join(f"User-agent: b{number}\n" for number in range(PARSED // 40))
    rules = "".join(f"Disallow: /{number}\n" for number in range(PARSED // 40))
    tracemalloc.start()
    try:
        read = RobotsRules(f"{agents}User-agent: *\n{rules}", "price-bot")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not read.allows(f"{SITE}/17")
    assert peak < 64 * 2**20


@pytest.mark.parametrize(
    ("agent", "token"),
    [
        ("data-source-orchestrator/1.0 (+https://a.example)", "data-source-orchestrator"),
        ("Price_Bot/2", "price_bot"),
        ("curl8", "curl"),
        ("2bad", "data-source-orchestrator"),
    ],
)
def test_robots_txt_addresses_us_by_the_name_that_the_user_agent_begins_with(agent: str, token: str):
    assert product_token(agent) == token


def test_every_request_says_name_version_and_whom_to_write_to():
    assert user_agent(HttpPolicy()).startswith("data-source-orchestrator/")
    assert user_agent(HttpPolicy()).endswith(" (automatic data sync)")
    assert "(+ops@a.example;" in user_agent(HttpPolicy(contact="ops@a.example"))
    assert user_agent(HttpPolicy(user_agent="price-bot/1")) == "price-bot/1"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://A.example:443/x?y", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("http://a.example:443/", "http://a.example:443"),
        ("http://[::1]:8080/x", "http://[::1]:8080"),
    ],
)
def test_each_origin_has_a_file_of_its_own(url: str, origin: str):
    assert origin_of(url) == origin
