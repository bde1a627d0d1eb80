"""What programs are told: one document on standard output, of the shape that is promised."""

import json
from datetime import UTC, datetime

import pytest
from test_cli_rig import Dso, dso

__all__ = ["dso"]

pytestmark = pytest.mark.real_time

OUTCOME = ["status", "attempts", "duration_s", "records", "error", "warnings", "age"]

VERBS = [
    ("sync",),
    ("fetch",),
    ("sources",),
    ("enable", "wzstats"),
    ("disable", "wzstats"),
    ("priority", "wzstats", "9"),
    ("health",),
    ("health", "--probe"),
    ("gate",),
    ("metrics",),
    ("drift",),
    ("drift", "wzstats", "--accept"),
    ("sandbox", "--list-faults"),
    ("doctor",),
]


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_every_verb_tells_one_document_that_begins_with_its_schema(dso: Dso, words: tuple[str, ...]):
    ended = dso(*words, "--json")
    assert ended.status == 0
    assert next(iter(ended.document.items())) == ("schema", f"dso.{words[0]}/1")
    assert ended.err == ""


def test_a_synchronisation_is_told_in_the_promised_shape(dso: Dso):
    told = dso("sync", "--json").document
    run = ["run_id", "sufficient", "duration_s", "offline"]
    assert list(told) == ["schema", *run, "sources", "snapshot", "missing", "drift"]
    assert list(told["sources"]) == ["codarmory", "wzstats", "codmunity"]
    for outcome in told["sources"].values():
        assert list(outcome) == OUTCOME
        assert (outcome["status"], outcome["attempts"], outcome["error"]) == ("success", 1, None)
        assert outcome["records"] >= 20
        assert 0 < outcome["duration_s"] <= told["duration_s"]
    snapshot = told["snapshot"]
    assert list(snapshot) == [
        "id",
        "entities",
        "new",
        "changed",
        "unchanged",
        "gone",
        "reason",
        "held",
        "superseded",
        "refused",
    ]
    assert snapshot["new"] == snapshot["entities"] >= 60
    assert (snapshot["changed"], snapshot["unchanged"], snapshot["gone"], snapshot["reason"]) == (0, 0, 0, None)
    assert (snapshot["held"], snapshot["superseded"], snapshot["refused"]) == (None, False, [])
    assert (told["sufficient"], told["missing"], told["drift"]) == (True, [], {})


def test_a_second_synchronisation_finds_everything_unchanged(dso: Dso):
    first, second = (dso("sync", "--json").document["snapshot"] for _ in range(2))
    assert second == {**first, "new": 0, "unchanged": first["entities"]}


def test_a_failure_and_a_skip_are_told_with_their_kind_and_what_is_missing_meanwhile(dso: Dso):
    dso("sync")
    dso("disable", "codmunity")
    told = dso("sync", "--json", "--fault", "wzstats=challenge").document
    failed, skipped = told["sources"]["wzstats"], told["sources"]["codmunity"]
    assert (failed["status"], failed["records"], failed["error"]["kind"]) == ("failure", None, "blocked")
    assert "challenge page" in failed["error"]["message"]
    assert (skipped["status"], skipped["attempts"], skipped["records"]) == ("skipped", 0, None)
    assert skipped["error"] == {"kind": "disabled", "message": "disabled by the operator"}
    wzstats, codmunity = told["missing"]
    assert list(wzstats) == ["source", "provides", "not_published", "why", "checked_at", "expires_at"]
    assert (wzstats["source"], wzstats["provides"]) == ("wzstats", ["tier"])
    assert wzstats["not_published"] == ["win_rate", "pick_rate"]
    lasts = datetime.fromisoformat(wzstats["expires_at"]) - datetime.fromisoformat(wzstats["checked_at"])
    assert lasts.total_seconds() == 4 * 3600
    assert datetime.fromisoformat(codmunity["checked_at"]).tzinfo == UTC


def test_what_a_source_has_never_published_is_not_missing_because_the_source_failed(dso: Dso):
    dso("sync")
    out = dso("sync", "--fault", "wzstats=challenge", "--fault", "codarmory=challenge").out
    missing = out[out.index("\nMissing\n") :]
    assert "\n  tier from WZStats (failed: blocked): what it said " in missing
    assert "\n  attachments, categories from CODArmory (failed: blocked): what it said " in missing
    assert not any(word in out for word in ("win_rate", "pick_rate", "base_stats"))


def test_of_a_source_that_was_never_read_only_what_it_declares_is_known(dso: Dso):
    ended = dso("sync", "wzstats", "--fault", "wzstats=challenge")
    never = "it was never read, so nothing of it is known; it declares tier, win_rate, pick_rate"
    assert f"\n  WZStats (failed: blocked): {never}\n" in ended.out
    [missing] = dso("sync", "wzstats", "--json", "--fault", "wzstats=challenge").document["missing"]
    assert (missing["provides"], missing["not_published"]) == (["tier", "win_rate", "pick_rate"], [])


def test_a_fetch_tells_the_rows_and_stores_none_of_them_but_counts(dso: Dso):
    ended = dso("fetch", "wzstats", "--json")
    [outcome] = ended.document["sources"].values()
    assert list(outcome) == [*OUTCOME, "rows", "stale_rows"]
    assert len(outcome["rows"]) == outcome["records"] > 60
    assert all(row.keys() == {"entity", "fields"} for row in outcome["rows"])
    [source] = [told for key, told in dso("sources", "--json").document["sources"].items() if key == "wzstats"]
    assert (source["freshness"], source["checked_at"]) == ("never", None)
    assert dso("metrics", "--json").document["source_metrics"]["wzstats"]["successes"] == 1


def test_a_fetch_that_fails_has_no_rows(dso: Dso):
    [outcome] = dso("fetch", "wzstats", "--json", "--fault", "wzstats=challenge").document["sources"].values()
    assert (outcome["status"], outcome["records"], outcome["rows"]) == ("failure", None, None)


def test_an_insufficient_run_is_told_in_full_and_exits_with_1(dso: Dso):
    ended = dso("sync", "wzstats", "--json", "--fault", "wzstats=challenge")
    assert ended.status == 1
    assert ended.document["sufficient"] is False
    assert ended.document["snapshot"]["id"] is None
    assert ended.document["snapshot"]["reason"] == "no source has been read yet"


def test_what_no_row_has_ever_carried_is_marked_as_not_published(dso: Dso):
    before = dso("sources", "--json").document["sources"]["wzstats"]
    dso("sync")
    after = dso("sources", "--json").document["sources"]["wzstats"]
    assert (before["not_published"], after["not_published"]) == ([], ["win_rate", "pick_rate"])
    assert "win_rate (not published by the source)" in dso("sources").out
    assert after["freshness"] == "fresh"


def test_a_document_is_ascii_where_the_terminal_may_know_nothing_else(dso: Dso):
    told = dso.apart("sync", "--json", env={"PYTHONIOENCODING": "latin-1", "PATH": ""})
    assert told.status == 0
    assert told.out.isascii()
    assert json.loads(told.out)["sufficient"] is True


def test_runs_that_their_own_limit_cut_short_are_told_and_not_as_never_run(dso: Dso):
    dso("fetch", "wzstats", "--timeout", "0.3", "--fault", "wzstats=latency=20")
    told = dso("health", "--json").document
    assert (
        told["message"] == "0 of 3 sources healthy; cut by the run's limit: wzstats; not run yet: codarmory, codmunity"
    )
    wzstats = told["sources"]["wzstats"]
    assert (wzstats["status"], wzstats["cut_short"]["runs"], wzstats["cut_short"]["timeout_s"]) == ("unknown", 1, 30)
    assert wzstats["cut_short"]["after_s"] == pytest.approx(0.3, abs=0.05)
    assert told["sources"]["codarmory"]["cut_short"] is None
    sentence = "its last run was cut by the run's limit after 0.3 s, before its own timeout of 30 s was up"
    assert sentence in wzstats["message"]
    assert sentence in dso("health").out
