"""What a gate says of what it holds: what is missing, how many, and from whom, in one sentence."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from data_source_orchestrator.core.claim import MergeRules
from data_source_orchestrator.core.held import Loss

MOST = 3
"""Losses that are told one by one; the rest is counted."""


def sentence(losses: Sequence[Loss], titles: Mapping[str, str], rules: MergeRules) -> str:
    """Tell losses; `titles` are what people call the registered sources, by key: of any other it is told that it left.

    Fields that the same sources have lost are told together.
    """
    told: list[str] = []
    for who, several in groupby(losses[:MOST], lambda loss: (_who(loss, titles), _is_of_a_field(loss))):
        told += _together(who[0], list(several), rules)
    more = len(losses) - MOST
    if more > 0:
        told.append(f"and {more} more {'losses' if more > 1 else 'loss'}")
    return f"held: {'; '.join(told)}"


def _together(who: str, losses: Sequence[Loss], rules: MergeRules) -> list[str]:
    if _is_of_a_field(losses[0]):
        return [f"{who} lost {_joined(_lost(loss, rules) for loss in losses)}"]
    return [f"{_missing(loss, rules)}{f' (from {who})' if who else ''}" for loss in losses]


def _is_of_a_field(loss: Loss) -> bool:
    return loss.field is not None and loss.value is None


def _missing(loss: Loss, rules: MergeRules) -> str:
    group = f" of {loss.value}" if loss.value is not None else ""
    together = f", all {loss.all_of}" if loss.all_of else ""
    return f"{loss.lost} of {loss.of} {_noun(loss.of, rules)}{group} missing{together}"


def _lost(loss: Loss, rules: MergeRules) -> str:
    share = f"all {loss.of}" if loss.lost == loss.of else f"{loss.lost} of {loss.of}"
    return f"{_part(loss.field or '', rules)} of {share} {_noun(loss.of, rules)}"


def _noun(count: int, rules: MergeRules) -> str:
    one, several = rules.called
    return one if count == 1 else several


def _who(loss: Loss, titles: Mapping[str, str]) -> str:
    return _joined(titles.get(source) or f"{source} (no longer registered)" for source in loss.sources)


def _part(field: str, rules: MergeRules) -> str:
    """Return what people call a field: of `tier.bo6`, where what stands behind `tier` is a mode, "mode bo6"."""
    prefix, _, rest = field.partition(".")
    return f"{rules.parts[prefix]} {rest}" if rest and prefix in rules.parts else field


def _joined(words: Iterable[str]) -> str:
    *first, last = words or [""]
    return f"{', '.join(first)} and {last}" if first else last
