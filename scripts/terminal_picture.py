"""Draw docs/pictures/sync.svg: what `dso sync` shows of a real run over the sandbox, in which one upstream refuses.

Run it as `uv run scripts/terminal_picture.py [FILE]`.
"""

import io
import sys
import tempfile
from pathlib import Path

from rich.terminal_theme import MONOKAI
from rich.text import Text

from data_source_orchestrator.cli import sync
from data_source_orchestrator.cli.options import FetchOptions
from data_source_orchestrator.cli.screen import PatientConsole, Screen

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "sync.svg"
WIDTH = 96


def main(picture: Path) -> None:
    """Sync twice into a store of its own, the second time with a fault, and draw the second."""
    with tempfile.TemporaryDirectory() as folder:
        sync.run(FetchOptions(sandbox=True, data_dir=folder), _screen())
        screen = _screen()
        screen.out.print_line(Text("$ dso sync --sandbox --fault codmunity=challenge", "bold"))
        sync.run(FetchOptions(sandbox=True, data_dir=folder, fault=["codmunity=challenge"]), screen)
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text(screen.out.export_svg(title="dso sync", theme=MONOKAI, unique_id="dso-sync"), encoding="utf-8")
    print(f"wrote {picture}")


def _screen() -> Screen:
    out = PatientConsole(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor", highlight=False
    )
    return Screen(out=out, err=PatientConsole(stderr=True, highlight=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE)
