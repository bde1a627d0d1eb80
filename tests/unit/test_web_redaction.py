import pytest

from data_source_orchestrator.web.redaction import LONGEST, LONGEST_QUERY, shown


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/x?page=2", "https://a.example/x?page=2"),
        ("https://user:hunter2@a.example/x", "https://a.example/x"),
        ("https://a.example/x?token=hunter2&page=2", "https://a.example/x?token=***&page=2"),
        ("https://a.example/x?a=1;api_key=hunter2", "https://a.example/x?a=1;api_key=***"),
        ("https://a.example/x?%74oken=hunter2", "https://a.example/x?%74oken=***"),
        ("https://a.example/x?X-Amz-Signature=hunter2", "https://a.example/x?X-Amz-Signature=***"),
        ("https://a.example/x?weaponGames%5B%5D=mw3", "https://a.example/x?weaponGames%5B%5D=mw3"),
        (f"https://a.example/x?{'games[]=mw3&' * 10}token=hunter2", "https://a.example/x?…"),
        (f"https://a.example/x?q={'x' * (LONGEST_QUERY - 2)}", f"https://a.example/x?q={'x' * (LONGEST_QUERY - 2)}"),
        (f"https://a.example/x?q={'x' * (LONGEST_QUERY - 1)}", "https://a.example/x?…"),
        ("https://a.example/x#access_token=hunter2", "https://a.example/x"),
        ("user:hunter2@a.example/x", "a.example/x"),
        ("http://[user:hunter2@a/x?token=hunter2", "a/x"),
        ("https://a.example/\x1b[31m\n", "https://a.example/?[31m?"),
    ],
)
def test_an_address_is_shown_without_what_may_be_secret(url: str, expected: str):
    assert shown(url) == expected


def test_a_long_address_is_cut():
    assert len(shown("https://a.example/" + "x" * 10_000)) == LONGEST
