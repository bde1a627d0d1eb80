"""What the sandbox answers is decided without a socket."""

import gzip
import json
from typing import Any

import pytest

from cod_sources.sandbox import SOURCES, codmunity
from cod_sources.sandbox.answers import Answer, Request, fault
from cod_sources.sandbox.faults import parse
from cod_sources.sandbox.origins import ORIGINS
from cod_sources.sandbox.wire import read_head

BY_KEY = {origin.key: origin for origin in ORIGINS}
WEAPONS = {
    "codarmory": "/src/database/weapons.json",
    "wzstats": "/wz2/weapons/meta/weapons-and-tier-lists/",
    "codmunity": "/weapon-stats/warzone",
}


def ask(source: str, spec: str = "", path: str = "", **headers: str) -> Answer:
    request = Request(method="GET", path=path or WEAPONS[source], headers=headers)
    return BY_KEY[source].answer(request, parse(source, spec))


def rows(source: str, spec: str = "") -> list[dict[str, Any]]:
    """Return what a careful client of each source takes for its weapon rows."""
    text = ask(source, spec).body.decode()
    if source == "codarmory":
        held: list[dict[str, Any]] = json.loads(text)
    elif source == "wzstats":
        held = json.loads(text)["weapons"]
    else:
        state = json.loads(text.split('id="serverApp-state" type="application/json">')[1].split("</script>")[0])
        entry = next(e for e in state.values() if "u" in e and "stats-comparator" in e["u"])
        held = entry["b"]["weaponStats"]
    return held


@pytest.mark.parametrize("source", SOURCES)
def test_lists_are_whole_shrunken_or_empty_as_the_switch_says(source: str):
    assert len(rows(source)) >= 50
    assert len(rows(source, "shrunken")) == 5
    assert rows(source, "empty") == []


@pytest.mark.parametrize("source", SOURCES)
def test_rows_of_a_wrong_game_say_so_in_every_row(source: str):
    member = {"codarmory": "game_id", "wzstats": "game", "codmunity": "appGame"}[source]
    assert {row[member] for row in rows(source, "wrong_game")} == {"bf6"}
    assert len(rows(source, "wrong_game")) == len(rows(source))


def test_the_members_that_hold_or_name_the_rows_can_be_renamed():
    assert not {"name", "game_id"} & rows("codarmory", "renamed_rows_key")[0].keys()
    for source, member in (("wzstats", "weapons"), ("codmunity", "weaponStats")):
        with pytest.raises(KeyError, match=member):
            rows(source, "renamed_rows_key")


def test_a_renamed_state_key_changes_nothing_but_the_key():
    assert rows("codmunity", "renamed_state_key") == rows("codmunity")
    assert ask("codmunity", "renamed_state_key").body != ask("codmunity").body


@pytest.mark.parametrize("spec", ["empty", "wrong_game"])
def test_rankings_go_bad_with_the_page(spec: str):
    path = "/website/pages/meta-loadouts-ranking/warzoneranked"
    sections = json.loads(ask("codmunity", spec, path).body)["sections"]
    assert {card["weaponGame"] for section in sections for card in section["cards"]} <= {"bf6"}


def test_the_state_inside_the_page_escapes_what_would_end_it():
    page = codmunity.page({})
    inside = page.split('type="application/json">')[1].split("</script>")[0]
    assert "<" not in inside
    assert any("<em>" in row["Description"] for row in json.loads(inside)["2718281828"]["b"]["weapons"])


@pytest.mark.parametrize("source", SOURCES)
def test_an_etag_answers_304_until_the_body_changes(source: str):
    etag = ask(source).headers["etag"]
    assert ask(source).headers["etag"] == etag
    held = ask(source, **{"if-none-match": f'"other", {etag}'})
    assert (held.status, held.body, held.headers["etag"]) == (304, b"", etag)
    assert ask(source, "shrunken", **{"if-none-match": etag}).status == 200


@pytest.mark.parametrize("spec", ["truncated", "trickle"])
def test_a_damaged_delivery_is_never_spared_by_an_etag(spec: str):
    answer = ask("wzstats", spec, **{"if-none-match": ask("wzstats").headers["etag"]})
    assert (answer.status, answer.delivery) == (200, spec)


def test_github_sends_strong_etags_and_express_weak_ones():
    assert ask("codarmory").headers["etag"].startswith('"')
    assert ask("wzstats").headers["etag"].startswith('W/"')


@pytest.mark.parametrize("source", SOURCES)
def test_a_body_is_zipped_only_where_it_is_asked_for(source: str):
    plain, zipped = ask(source), ask(source, **{"accept-encoding": "br, gzip"})
    assert "content-encoding" not in plain.headers
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.body) == plain.body
    assert ask(source, **{"accept-encoding": "gzip", "if-none-match": plain.headers["etag"]}).status == 304


def test_paths_that_are_not_there_are_404_in_the_sites_own_form():
    unknown = {source: ask(source, path="/no/<such>") for source in SOURCES}
    assert {answer.status for answer in unknown.values()} == {404}
    assert unknown["codarmory"].body == b"404: Not Found"
    assert b"&lt;such&gt;" in unknown["wzstats"].body
    assert ask("codmunity", path="/website/pages/unknown").headers["content-type"].startswith("application/json")


def test_refusals_come_before_the_path_and_in_a_fixed_order():
    everything = parse("wzstats", "error_rate=0.5+challenge")
    assert [answer.status for draw in (0.49, 0.5) if (answer := fault(everything, draw))] == [500, 403]
    assert fault(parse("wzstats", "error_rate=0"), 0.0) is None


def test_a_head_that_is_no_http_is_no_request():
    assert read_head(b"\x16\x03\x01\x02\x00\r\n\r\n") is None
    assert read_head(b"GET /\r\n\r\n") is None


def test_a_head_is_read_with_its_query_and_headers():
    request = read_head(b'GET /a%20b?x%5B%5D=1&x[]=2 HTTP/1.1\r\nIf-None-Match: W/"a"\r\nHost: h:1\r\n\r\n')
    assert request == Request(
        method="GET", path="/a b", query={"x[]": ["1", "2"]}, headers={"if-none-match": 'W/"a"', "host": "h:1"}
    )
