"""Laws of the gate: what is harmless always passes, what is lost beyond what is allowed never does."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from data_source_orchestrator.core.claim import Contribution, MergeRules, Record
from data_source_orchestrator.core.policies import GatePolicy
from data_source_orchestrator.core.snapshot import Snapshot
from data_source_orchestrator.reconcile.gate import judge
from data_source_orchestrator.reconcile.survivorship import merge

NOON = datetime(2026, 5, 7, 12, tzinfo=UTC)
SOURCES = ("blog", "farm", "shop")
RULES = MergeRules(groups=("kind",), volatile=("mood",))

values = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b"])
fields = st.sampled_from(["kind", "n", "tier.a", "tier.b", "size.x.low", "size.x.high", "mood", "mood.now"])
rows = st.dictionaries(st.integers(0, 30).map("pear-{:02}".format), st.dictionaries(fields, values, max_size=5))
world = st.fixed_dictionaries(dict.fromkeys(SOURCES, rows))
policies = st.builds(GatePolicy, entities=st.floats(0, 0.9), coverage=st.floats(0, 0.9), fewest=st.integers(1, 4))

Rows = dict[str, dict[str, Any]]


def merged(said: dict[str, Rows], sources: Iterable[str] = SOURCES) -> Snapshot:
    contributions = (
        Contribution(
            source=source,
            run_id="r",
            checked_at=NOON,
            records=tuple(Record(name, row) for name, row in said[source].items()),
        )
        for source in sources
    )
    return merge(contributions, RULES, priorities={})


@given(world, world, policies)
def test_whatever_is_added_passes(said: dict[str, Rows], more: dict[str, Rows], policy: GatePolicy):
    """New entities, new fields, new sources: what was said is still said, by whoever said it."""
    both = {s: {n: {**more[s].get(n, {}), **said[s].get(n, {})} for n in said[s] | more[s]} for s in SOURCES}
    both = {s: {n: _kept(row, said[s].get(n, {})) for n, row in table.items()} for s, table in both.items()}
    assert judge(merged(said).entities, merged(both), policy, rules=RULES) == ()


def _kept(row: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """A value that is None is not said, so another may be said in its place."""
    return {name: value for name, value in row.items() if value is not None or name in before}


@given(world, st.randoms(), policies)
def test_whatever_is_only_changed_or_moved_passes(said: dict[str, Rows], chance: Any, policy: GatePolicy):
    """A balance patch may touch every value there is, and rows may come in any order."""
    patched = {
        source: {
            name: {
                field: None if value is None else chance.choice([0, "", False, [], {"x": 1}, 7.5])
                for field, value in row.items()
            }
            for name, row in chance.sample(sorted(table.items()), len(table))
        }
        for source, table in said.items()
    }
    assert judge(merged(said).entities, merged(patched), policy, rules=RULES) == ()


@given(world, st.sets(st.sampled_from(SOURCES)), policies)
def test_whatever_expires_passes(said: dict[str, Rows], expired: set[str], policy: GatePolicy):
    after = merged(said, [source for source in SOURCES if source not in expired])
    assert judge(merged(said).entities, after, policy, expired=frozenset(expired), rules=RULES) == ()


@given(world, world, policies, st.sets(st.sampled_from(SOURCES)))
def test_a_gate_holds_exactly_when_something_is_beyond_what_is_allowed(
    said: dict[str, Rows], later: dict[str, Rows], policy: GatePolicy, expired: set[str]
):
    """The same rule, said once more and slowly."""
    before, after = merged(said), merged(later, [source for source in SOURCES if source not in expired])
    losses = judge(before.entities, after, policy, expired=frozenset(expired), rules=RULES)
    assert bool(losses) is any(_beyond(before, after, policy, expired))
    assert all(loss.lost >= policy.fewest and loss.sources and not expired & set(loss.sources) for loss in losses)


def _beyond(before: Snapshot, after: Snapshot, policy: GatePolicy, expired: set[str]) -> Iterable[bool]:
    cells = {
        (name, field): {claim.source for claim in (held.claim, *held.outranked)} - expired
        for name, entity in before.entities.items()
        for field, held in entity.fields.items()
    }
    known = {name for (name, _), who in cells.items() if who}
    yield _too_many(known, known - after.entities.keys(), policy.entities, policy)
    for kind in {str(entity.fields["kind"].value) for entity in before.entities.values() if "kind" in entity.fields}:
        group = {n for n in known if "kind" in (f := before.entities[n].fields) and f["kind"].value == kind}
        yield _too_many(group, group - after.entities.keys(), policy.coverage, policy)
    for prefix in ("kind", "n", "tier", "tier.a", "tier.b", "size", "size.x", "size.x.low", "size.x.high"):
        carriers = {name for (name, field), who in cells.items() if who and f"{field}.".startswith(f"{prefix}.")}
        still = {
            name
            for name in carriers & after.entities.keys()
            if any(f"{field}.".startswith(f"{prefix}.") for field in after.entities[name].fields)
        }
        yield _too_many(carriers, carriers - still, policy.coverage, policy)


def _too_many(of: set[str], lost: set[str], allowed: float, policy: GatePolicy) -> bool:
    return len(lost) >= policy.fewest and len(lost) > allowed * len(of)
