"""The page of all pairs of strategies, with the tests that would fail if two of them were swapped or strangers."""

import ast
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

ORDER = (
    "deadline",
    "common cause",
    "single flight",
    "cache",
    "retry",
    "budget",
    "hedge",
    "rate limit",
    "concurrency limit",
    "breaker",
    "attempt timeout",
    "chaos",
    "contract",
)
"""From the outside in; the budget is asked by whatever wants an extra call, a retry first."""

PAIRS = tuple(combinations(ORDER, 2))

INTRO = f"""# Pairs of strategies and their proofs

Around every fetch, from the outside in:

    {" > ".join(ORDER[:7])}
    > {" > ".join(ORDER[7:-1])} > fetch > {ORDER[-1]}

The first four hold for runs; the others are those of [each guarded call](../strategies/guard.md). Each two of them have
to know of each other, and to stand in that order. Here is, for each of the {len(PAIRS)} pairs, what would fail if they
did not. `uv run pytest -m pair` runs these tests alone.
"""


def sections(tests: Path) -> Iterator[str]:
    """Yield a table for each strategy that has others within it."""
    proofs = proofs_in(tests)
    for outer in ORDER[:-1]:
        within = [pair for pair in PAIRS if pair[0] == outer]
        rows = [f"| {inner} | {'<br>'.join(proofs.get((outer, inner), ['**none**']))} |" for _, inner in within]
        yield "\n".join([f"## {outer}\n", "| beside | test |", "| --- | --- |", *rows]) + "\n"


def proofs_in(tests: Path) -> dict[tuple[str, str], list[str]]:
    """Return, by pair, the tests that are marked with it."""
    proofs: dict[tuple[str, str], list[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                told = f"`{path.name}`: {node.name.removeprefix('test_').replace('_', ' ')}"
                for pair in _pairs_of(node):
                    proofs.setdefault(pair, []).append(told)
    return proofs


def _pairs_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, str]]:
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(attr="pair"), args=[ast.Constant(str(outer)), ast.Constant(str(inner))]):
                yield outer, inner
            case _:
                pass
