"""The wanted answer, found in a page by its request and by what it holds, whatever its key."""

import json
import re
from typing import Any

import pytest

from cod_sources.transfer_state import LONGEST_TAG, Wanted, find_answer
from data_source_orchestrator.core.errors import FetchError

WANTED = Wanted(
    path="stats-comparator", rather="warzone", never=re.compile("/bo[0-9]$"), keys=("weapons", "weaponStats")
)
ANSWER = {"weapons": [{"name": "A & <b> 'c'"}], "weaponStats": [{"gun": "x"}]}


def entry(body: object = ANSWER, path: str = "stats-comparator/warzone", status: int | None = 200) -> dict[str, Any]:
    return {"b": body, "h": {}, "s": status, "u": f"https://api.example/website/pages/{path}", "rt": "json"}


def page(*scripts: str) -> str:
    return f"<!DOCTYPE html><html><body><h1>x</h1>{''.join(scripts)}</body></html>"


def script(state: object, attributes: str = 'id="serverApp-state" type="application/json"') -> str:
    text = state if isinstance(state, str) else json.dumps(state, ensure_ascii=False).replace("<", "\\u003c")
    return f"<script {attributes}>{text}</script>"


def escaped(state: object) -> str:
    text = json.dumps(state)
    for raw, told in (("&", "&a;"), ('"', "&q;"), ("'", "&s;"), ("<", "&l;"), (">", "&g;")):
        text = text.replace(raw, told)
    return text


def find(text: str) -> dict[str, Any]:
    return find_answer(text, WANTED, "/page")


def refusal(text: str) -> FetchError:
    with pytest.raises(FetchError) as caught:
        find(text)
    return caught.value


@pytest.mark.parametrize("key", ["stats-comparator-assets-warzone", "stats-comparator-page-warzone", "3909856856", ""])
def test_an_entry_is_found_by_its_request_and_never_by_its_key(key: str):
    state = {"1": entry({"menu": []}, "menu"), key: entry(), "__nghData__": [{}], "n": 3, "s": "text"}
    assert find(page(script(state))) == ANSWER


@pytest.mark.parametrize(
    "attributes",
    [
        'type="application/json"',
        'type="application/json; charset=utf-8" id="ng-state"',
        "type='application/json' data-x",
    ],
)
def test_any_json_script_will_do_where_angulars_own_is_not_there(attributes: str):
    assert find(page(script({"1": entry()}, attributes))) == ANSWER


def test_scripts_of_other_types_are_not_read():
    others = script({"1": entry()}, 'type="application/ld+json"') + script("let a = 1 < 2", "")
    assert "application/json" in str(refusal(page(others)))


def test_a_script_that_is_no_json_does_not_hide_the_one_that_is():
    assert find(page(script("{broken", 'type="application/json"'), script({"1": entry()}))) == ANSWER


def test_a_body_that_is_the_json_itself_will_do_with_or_without_the_envelope():
    assert find(json.dumps({"77": entry()})) == ANSWER
    assert find(json.dumps(ANSWER)) == ANSWER


def test_the_escapes_of_older_angular_are_undone():
    assert find(page(script(escaped({"1": entry()})))) == ANSWER


def test_what_looks_like_an_old_escape_in_a_new_state_is_left_alone():
    answer = {"weapons": [{"name": "&q; and &amp;"}], "weaponStats": []}
    assert find(page(script({"1": entry(answer)}))) == answer


def test_an_answer_is_found_by_what_it_holds_where_no_request_tells_it():
    assert find(page(script({"stats-comparator-assets-warzone": ANSWER}))) == ANSWER
    assert find(page(script({"1": entry(ANSWER, "renamed/warzone")}))) == ANSWER
    assert find(page(script({"a": {"deep": [{"down": ANSWER}]}}))) == ANSWER


def test_an_answer_may_lie_deeper_inside_its_entry():
    assert find(page(script({"1": {"u": "/x/stats-comparator/warzone", "body": {"data": ANSWER}}}))) == ANSWER


def test_a_percent_encoded_request_is_found_all_the_same():
    other: dict[str, object] = {"weapons": [], "weaponStats": []}
    state = {"1": entry(other, "menu"), "2": entry(path="stats%2Dcomparator/warzone")}
    assert find(page(script(state))) == ANSWER


def test_a_request_that_is_no_address_is_passed_over():
    assert find(page(script({"0": {"u": "http://[", "s": 200, "b": None}, "1": entry()}))) == ANSWER


def test_of_several_scripts_angulars_own_is_believed_first():
    other: dict[str, object] = {"weapons": [], "weaponStats": []}
    scripts = (script({"1": entry(other)}, 'type="application/json"'), script({"1": entry()}))
    assert find(page(*scripts)) == ANSWER
    assert find(page(script({}), script({"1": entry()}, 'type="application/json"'))) == ANSWER


def test_of_several_modes_the_one_that_was_asked_is_taken():
    other = {"weapons": [], "weaponStats": [{"gun": "other"}]}
    state = {"1": entry(other, "stats-comparator/bo7"), "2": entry()}
    assert find(page(script(state))) == ANSWER


def test_the_answer_for_another_mode_is_refused_where_the_one_wanted_is_missing():
    error = refusal(page(script({"1": entry(path="stats-comparator/bo7")})))
    assert error.kind == "content"
    assert "bo7" in str(error)


def test_two_different_answers_are_refused_and_two_equal_ones_are_one():
    other: dict[str, object] = {"weapons": [], "weaponStats": []}
    assert "2 different answers" in str(refusal(page(script({"1": entry(), "2": entry(other)}))))
    assert find(page(script({"1": entry(), "2": entry()}))) == ANSWER


@pytest.mark.parametrize(("status", "kind"), [(503, "server"), (500, "server"), (404, "content"), (429, "content")])
def test_an_entry_whose_own_request_failed_is_told_with_its_status(status: int, kind: str):
    error = refusal(page(script({"1": entry({"weapons": [], "weaponStats": []}, status=status)})))
    assert error.kind == kind
    assert str(status) in str(error)


@pytest.mark.parametrize(("status", "told"), [(False, "false"), ("gone", "'gone'"), ([], "a list of 0")])
def test_a_status_that_is_none_is_told_in_the_words_of_json(status: Any, told: str):
    assert f"was answered {told}" in str(refusal(page(script({"1": entry(None, status=status)}))))


def test_a_request_that_goes_on_and_on_is_not_told_at_length():
    long = f"stats-comparator/{'x' * 100_000}"
    for state in ({"1": entry(None, long, 503)}, {"1": entry(ANSWER, f"{long}/bo7")}):
        assert len(str(refusal(page(script(state))))) < 300


def test_an_entry_that_failed_does_not_hide_one_that_did_not():
    assert find(page(script({"1": entry(None, status=503), "2": entry()}))) == ANSWER


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"1": entry({"weapons": []})},
        {"1": entry(None)},
        {"1": entry({"weaponFigures": []})},
        {"1": entry({}, "menu")},
        [],
    ],
)
def test_a_page_without_the_answer_is_a_failure_of_content_and_never_an_empty_success(state: object):
    error = refusal(page(script(state)))
    assert error.kind == "content"
    assert "stats-comparator" in str(error)


def test_a_known_entry_that_lost_its_data_is_not_replaced_by_somebody_elses():
    state = {"1": entry({"renamed": []}), "2": entry(ANSWER, "other-page/bo7")}
    assert refusal(page(script(state))).kind == "content"


def test_a_page_that_ends_inside_its_state_is_told_as_truncated():
    whole = page(script({"1": entry()}))
    assert refusal(whole[: whole.index("weaponStats")]).truncated


def test_a_page_made_to_grow_as_a_tree_is_read_like_any_other():
    tags = "".join(f"<b id={number}><p>x" for number in range(50_000))
    assert find(page(tags, script({"1": entry()}))) == ANSWER


def test_a_tag_of_endless_attributes_is_passed_over():
    attributes = " ".join(f"a{number}=1" for number in range(50_000))
    assert find(page(f"<script type=application/json {attributes}>{{}}</script>", script({"1": entry()}))) == ANSWER


def test_scripts_without_an_end_are_read_once():
    assert refusal(page("<script>" * 200_000 + "<!-- " * 200_000)).kind == "content"


def test_a_script_inside_a_comment_is_none():
    other = script({"1": entry({**ANSWER, "weapons": []})})
    assert find(page(f"<!-- {other} -->", script({"1": entry()}))) == ANSWER


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "hostile",
    [
        "<script " * 1_000_000,
        "<script '" * 800_000,
        "<script></script>" * 480_000,
        "<script json></script>" * 380_000,
        f"<script {'a=b ' * 480}></script>" * 4_000,
        f"<script {'a=b ' * 600}></script>" * 3_300,
        "<!-- " * 1_600_000,
        "<!--><script a=" * 500_000,
        "<!-- --><!-- -->" * 480_000,
    ],
)
def test_a_page_made_to_be_searched_again_and_again_is_searched_once(hostile: str):
    """Each of them took from seconds to hours where a part of the page was looked at more than a few times."""
    error = refusal(f"<html>{hostile}")
    assert error.kind == "content"
    assert "holds no script" in str(error)


def test_a_tag_without_an_end_is_skipped_by_as_much_as_was_searched_and_no_further():
    assert find(page("<script ", "x" * LONGEST_TAG, script({"1": entry()}))) == ANSWER


def test_scripts_that_do_not_speak_of_json_are_passed_over_however_many_there_are():
    assert find(page("<script src=x></script>" * 1_000, script({"1": entry()}))) == ANSWER


def test_json_is_spoken_of_in_letters_of_any_case():
    assert find(page(script({"1": entry()}, "TYPE=Application/JSON"))) == ANSWER


def test_of_the_scripts_that_speak_of_json_only_the_first_fifty_are_looked_at():
    other = script("{}", 'src="a.json"')
    assert find(page(other * 49, script({"1": entry()}))) == ANSWER
    assert "holds no script" in str(refusal(page(other * 50, script({"1": entry()}))))


def test_only_the_first_json_scripts_of_a_page_are_read():
    many = script({"1": {}}, 'type="application/json"') * 8
    assert refusal(page(many, script({"1": entry()}))).kind == "content"


@pytest.mark.parametrize("text", ["", "<html></html>", "plain text", "<script type='application/json'></script>"])
def test_a_page_without_a_state_is_a_failure_of_content(text: str):
    assert refusal(text).kind == "content"


def test_a_state_nested_too_deep_is_refused_and_not_followed():
    assert refusal(page(script("[" * 100_000 + "]" * 100_000))).kind == "content"
