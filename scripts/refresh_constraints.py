"""Write the newest versions that fit into `pyproject.toml`, as the tested ones.

Run it on purpose, then run the tests: `uv run --no-project scripts/refresh_constraints.py`.
"""

import re
import subprocess
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "pyproject.toml"
BLOCK = re.compile(r"constraint-dependencies = \[\n.*?\]\n", re.DOTALL)


def main() -> None:
    """Resolve without constraints, and write what was found."""
    text = PROJECT.read_text()
    PROJECT.write_text(BLOCK.sub("constraint-dependencies = [\n]\n", text))
    try:
        subprocess.run(["uv", "lock", "--upgrade"], cwd=ROOT, check=True)  # noqa: S607 — uv as the person has it
        lines = "".join(f'    "{line}",\n' for line in tested(tomllib.loads((ROOT / "uv.lock").read_text())))
    except BaseException:
        PROJECT.write_text(text)
        raise
    PROJECT.write_text(BLOCK.sub(lambda _: f"constraint-dependencies = [\n{lines}]\n", text))
    print(f"{lines.count(chr(10))} tested versions written; now run the tests")


def tested(lock: dict[str, list[dict[str, str]]]) -> list[str]:
    """Return one constraint for each package; where Python versions differ in it, the newest is the bound."""
    versions: defaultdict[str, list[str]] = defaultdict(list)
    for package in lock["package"]:
        if "version" in package and package["name"] != "data-source-orchestrator":
            versions[package["name"]].append(package["version"])
    return [
        f"{name}=={found[0]}" if len(found) == 1 else f"{name}<={_newest(found)}"
        for name, found in sorted(versions.items())
    ]


def _newest(versions: list[str]) -> str:
    return max(versions, key=lambda version: [int(part) for part in re.findall(r"\d+", version)])


if __name__ == "__main__":
    main()
