"""What is remembered of a document from one sighting to the next: silence, findings, and how they end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from data_source_orchestrator.drift.document import shapes_to_json, standings_of, standings_to_json, watches_of
from data_source_orchestrator.drift.fingerprint import fingerprint
from data_source_orchestrator.drift.watch import (
    ENOUGH,
    KEPT,
    MOST_FINDINGS,
    Sighting,
    Standing,
    Watch,
    accept,
    accepted_unshown,
    news,
    observe,
    seen_again,
)
from data_source_orchestrator.drift.wording import sentence
from data_source_orchestrator.history import codec

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def rows(count: int = 40, **fields: Any) -> list[dict[str, Any]]:
    return [{"id": "x", **fields} for _ in range(count)]


def sighting(document: object, day: float, *, accepted: bool = True, digest: str | None = None) -> Sighting:
    return Sighting(fingerprint=fingerprint(document), at=NOON + day * DAY, accepted=accepted, digest=digest)


NEW = Watch()


def after(*documents: object, begin: Watch = NEW, day: int = 0) -> Watch:
    watch = begin
    for number, document in enumerate(documents):
        watch = observe(watch, sighting(document, day + number))
    return watch


def usual(count: int = ENOUGH) -> Watch:
    return after(*[rows(name="a")] * count)


def test_nothing_is_told_before_there_were_five_sightings():
    assert after(rows(), rows(name="a"), [], {"a": 1}).findings == ()
    assert after(rows(title="a"), begin=usual(4), day=4).findings == ()
    assert after(rows(title="a"), begin=usual(5), day=5).findings != ()


def test_sightings_are_counted_and_not_different_bodies():
    watch = usual(9)
    assert (watch.sightings, len(watch.usual)) == (9, 1)
    assert watch.judged


def test_what_was_not_accepted_is_no_past():
    watch = usual(4)
    assert observe(watch, sighting(rows(title="a"), 4, accepted=False)) == watch


def test_what_was_not_accepted_is_judged_and_never_becomes_usual_by_itself():
    watch = usual()
    for day in range(5, 50):
        watch = observe(watch, sighting(rows(title="a"), day, accepted=False))
    assert [str(each.change) for each in watch.findings] == ["vanished", "appeared"]


def test_a_finding_keeps_the_moment_it_was_first_seen_and_its_latest_figure():
    watch = after(rows(400, name="a"), rows(500, name="a"), begin=usual(), day=5)
    [finding] = watch.findings
    assert (finding.since, finding.before, finding.after) == (NOON + 5 * DAY, 40.0, 500.0)


def test_a_finding_ends_when_the_shape_is_back():
    assert after(rows(title="a"), rows(name="b"), begin=usual(), day=5).findings == ()


def test_what_differs_does_not_become_its_own_standard():
    watch = after(*[rows(title="a")] * 4, begin=usual(), day=5)
    assert len(watch.usual) == 1
    assert len(watch.findings) == 2


def test_after_a_week_and_five_sightings_what_is_served_is_usual():
    new = rows(title="a")
    assert after(*[new] * 7, begin=usual(), day=5).findings != ()
    settled = after(*[new] * 8, begin=usual(), day=5)
    assert settled.findings == ()
    assert after(new, begin=settled, day=20).findings == ()
    assert after(rows(name="a"), begin=settled, day=20).findings != (), "now the old form is news"


def test_a_week_without_five_sightings_is_not_enough():
    watch = usual()
    for day in (5, 15, 25, 35):
        watch = observe(watch, sighting(rows(title="a"), day))
    assert watch.findings != ()


def test_what_changes_again_begins_its_week_again():
    watch = after(*[rows(title="a")] * 6, *[rows(label="a")] * 6, begin=usual(), day=5)
    assert watch.findings != ()
    assert {each.path for each in watch.findings} == {"[].name", "[].label"}


def test_what_was_back_meanwhile_begins_its_week_again():
    back = after(*[rows(title="a")] * 6, rows(name="a"), begin=usual(), day=5)
    assert back.arrival is None
    assert after(*[rows(title="a")] * 4, begin=back, day=12).findings != ()


def test_an_operator_takes_the_new_form_for_usual_at_once():
    drifted = after(rows(title="a"), begin=usual(), day=5)
    accepted = accept(drifted)
    assert accepted.findings == ()
    assert after(rows(title="b"), begin=accepted, day=6).findings == ()
    assert after(rows(name="b"), begin=accepted, day=6).findings != (), "it is judged from now on, not from five on"


def test_there_is_nothing_to_accept_where_nothing_has_changed():
    assert accept(usual()) == usual()
    assert accept(Watch()) == Watch()


def test_only_what_was_not_open_before_is_news():
    watch = usual()
    first = after(rows(title="a"), begin=watch, day=5)
    second = after(rows(title="a", extra=1), begin=first, day=6)
    assert len(news(watch, first)) == 2
    assert [each.path for each in news(first, second)] == ["[].extra"]
    assert news(second, second) == ()
    assert len(news(after(rows(name="a"), begin=second, day=7), first)) == 2, "what comes back is news again"


def test_the_same_body_again_is_another_sighting():
    watch = after(rows(name="a"))
    for day in range(1, ENOUGH):
        watch = seen_again(watch, NOON + day * DAY)
    assert watch.judged
    drifted = after(rows(title="a"), begin=watch, day=5)
    for day in range(6, 12):
        drifted = seen_again(drifted, NOON + day * DAY)
        assert drifted.findings != ()
    assert seen_again(drifted, NOON + 12 * DAY).findings == ()
    assert seen_again(Watch(), NOON) == Watch()


def test_an_answer_that_showed_nothing_is_the_one_accepted_last_and_not_one_that_was_refused():
    refused = observe(usual(), sighting(rows(title="a"), 5, accepted=False))
    assert refused.findings != ()
    assert accepted_unshown(refused, NOON + 6 * DAY).findings == ()
    drifted = after(rows(title="a"), begin=usual(), day=5)
    assert accepted_unshown(drifted, NOON + 6 * DAY).findings == drifted.findings
    assert accepted_unshown(Watch(), NOON) == Watch()


def test_the_digest_is_that_of_the_fingerprint_that_was_kept():
    watch = observe(Watch(), sighting(rows(), 0, digest="d"))
    assert watch.digest == "d"
    assert observe(watch, sighting(rows(), 1, accepted=False, digest="e")).digest is None
    drifted = observe(usual(), sighting(rows(title="a"), 5, digest="f"))
    assert drifted.digest == "f"


def test_the_past_is_bounded_and_so_are_findings():
    watch = after(*(rows(100 + count, name="a") for count in range(30)))
    assert len(watch.usual) == KEPT
    wide = {f"field{letter}{other}": 1 for letter in "abcdefg" for other in "abcdefgh"}
    drifted = after(rows(name="a", **wide), begin=usual(), day=5)
    assert len(drifted.findings) == MOST_FINDINGS


def test_what_is_remembered_is_read_again_as_it_was():
    drifted = after(rows(title="a"), [*rows(7, **{"a.b\n": 1}), None], begin=usual(), day=5)
    watches = {"weapons.json": drifted, "new": Watch(), 'odd "name"\x00': usual(2)}
    standings, shapes = (codec.from_text(codec.to_text(f(watches))) for f in (standings_to_json, shapes_to_json))
    assert watches_of(standings, shapes) == watches
    assert standings_of(standings)["weapons.json"].findings == drifted.findings
    assert type(standings_of(standings)["weapons.json"]) is Standing


@pytest.mark.parametrize("damaged", [None, 3, [], "x", {"a": 1}, {"a": {"sightings": -1}}, {"a": {"findings": [{}]}}])
def test_what_is_not_ours_is_read_as_nothing_remembered(damaged: Any):
    assert standings_of(damaged) == {}
    assert watches_of(damaged, shapes_to_json({"a": usual()})) == {}


def test_a_past_that_is_not_ours_is_begun_anew():
    assert watches_of(standings_to_json({"a": usual()}), {"a": {"usual": [{"paths": {"": [-1] * 7}}]}}) == {}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (rows(40), ["w, [].name: the field vanished, which 100 % of the objects there had"]),
        (rows(40, name="a", x=1), ["w, [].x: a field appeared, in 100 % of the objects there"]),
        (rows(40, name=1), ["w, [].name: the type changed from text to number"]),
        (rows(40, name=None), ["w, [].name: nothing stands in 100 % of the places, where 0 % was usual"]),
        (rows(4000, name="a"), ["w, []: 4000 rows, where 40 were usual"]),
        ({}, ["w, the document itself: the type changed from list to object"]),
    ],
)
def test_each_change_is_a_plain_sentence(document: Any, told: list[str]):
    assert [sentence("w", each) for each in after(document, begin=usual(), day=5).findings] == told


def test_the_entries_of_a_map_are_called_so():
    def modes(count: int) -> dict[str, Any]:
        return {f"{number}": {"a": 1} for number in range(count)}

    [finding] = after(modes(3), begin=after(*[modes(14)] * 5), day=5).findings
    assert sentence("w", finding) == "w, {}: 3 entries, where 14 were usual"
