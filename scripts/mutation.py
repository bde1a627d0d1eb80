"""Write the table of docs/why/mutation-testing.md from what mutmut has left in `mutants/`, and name who survived.

Run it after mutmut, as `uv run scripts/mutation.py`; `mutmut show NAME` then shows what was changed.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "why" / "mutation-testing.md"
MUTATED = ROOT / "mutants" / "src" / "data_source_orchestrator" / "resilience"
TABLE = re.compile(r"(<!-- the table is made by \S+ -->\n).*?(<!-- end of the table -->)", re.DOTALL)

FATES = {
    0: "survived",
    1: "killed",
    3: "killed",
    24: "in time",
    -24: "in time",
    33: "untested",
    36: "in time",
    None: "left",
}
"""What became of a mutant, by the exit status of the tests; one that never ends is ended in time."""


def fates_of(file: Path) -> dict[str, str]:
    """Return what became of each mutant of a file."""
    statuses: Mapping[str, int | None] = json.loads(file.read_text())["exit_code_by_key"]
    return {name: FATES.get(status, "suspicious") for name, status in statuses.items()}


def table(files: Mapping[str, Mapping[str, str]]) -> str:
    """Return the counts in Markdown, a line for each file and one for all."""
    counts = {name: Counter(fates.values()) for name, fates in files.items()}
    counts["all"] = sum(counts.values(), Counter())
    lines = ["| file | mutants | tried | killed | survived | killed of those tried |", "|---|---|---|---|---|---|"]
    for name, count in counts.items():
        killed, tried = count["killed"] + count["in time"], count.total() - count["left"]
        share = f"{100 * killed / tried:.1f} %" if tried else ""
        lines.append(f"| {name} | {count.total()} | {tried} | {killed} | {tried - killed} | {share} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the table, and print the name of each mutant that was not killed."""
    files = {file.name.removesuffix(".meta"): fates_of(file) for file in sorted(MUTATED.glob("*.meta"))}
    files = {name: fates for name, fates in files.items() if fates}
    PAGE.write_text(TABLE.sub(lambda found: found[1] + table(files) + found[2], PAGE.read_text()))
    for fates in files.values():
        for name, fate in fates.items():
            if fate != "killed":
                print(f"{fate}: {name}")


if __name__ == "__main__":
    main()
