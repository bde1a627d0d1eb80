"""Reads and runs the examples that documents hold."""

import ast
import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def python_blocks(document: Path) -> list[str]:
    return BLOCK.findall(document.read_text())


async def run_block(code: str) -> dict[str, Any]:
    """Run an example in which `await` may stand at the top, then the tests that it defines, and return its names."""
    names: dict[str, Any] = {"__name__": "example"}
    compiled = compile(code, "<example>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    ended = eval(compiled, names)  # noqa: S307 — the project's own documents
    if inspect.isawaitable(ended):
        await ended
    for name in [name for name in names if name.startswith("test_")]:
        await asyncio.to_thread(names[name])  # as a test runner would, with no event loop around it
    return names
