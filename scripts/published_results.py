"""Draw the pictures of docs/why/published-results.md and write its table, from the simulations that the tests run.

Run it as `uv run scripts/published_results.py`.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import log
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "why" / "published-results.md"
PICTURES = ROOT / "docs" / "pictures"
TABLE = re.compile(r"(<!-- the table is made by \S+ -->\n).*?(<!-- end of the table -->)", re.DOTALL)

sys.path.insert(0, str(ROOT / "tests" / "simulation"))

import published_figures as figures  # noqa: E402 — the simulations live with their tests
from published_figures import Figure  # noqa: E402
from published_metastable import END, HALVED  # noqa: E402

WIDTH, BAR, LEFT, RIGHT, TOP = 720, 22, 250, 90, 64
PUBLISHED, OURS = "#9aa5b1", "#1f6f8b"
COLOURS = ("#1f6f8b", "#c0392b", "#e08e0b", "#2e8b57", "#6c3483")
DASHES = ("", "2 3", "7 4", "12 4", "1 4 7 4")


def table(rows: Sequence[Figure]) -> str:
    """Return the figures in Markdown."""
    lines = ["| experiment | case | published | ours |", "|---|---|---|---|"]
    for row in rows:
        published = "" if row.published is None else f"{row.published:g}"
        lines.append(f"| {row.experiment} | {row.case} | {published or 'none'} | {number(row.ours)} |")
    return "\n".join(lines) + "\n"


def number(value: float) -> str:
    """Return a figure with as many digits as it deserves."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 5 else f"{value:.2f}"  # noqa: PLR2004


def bars(title: str, rows: Sequence[Figure], scale: Callable[[float], float]) -> str:
    """Return bars, the published figure above ours; `scale` maps a figure to a share of the width."""
    parts = []
    for index, row in enumerate(rows):
        top = TOP + index * 2 * (BAR + 4)
        parts.append(text(LEFT - 10, top + BAR + 5, row.case, anchor="end"))
        if row.published is not None:
            parts.append(bar(top, scale(row.published), PUBLISHED, f"{row.published:g}"))
        parts.append(bar(top + BAR, scale(row.ours), OURS, number(row.ours)))
    legend = [
        rectangle(LEFT, TOP - 18, 12, 12, PUBLISHED),
        text(LEFT + 18, TOP - 8, "published"),
        rectangle(LEFT + 110, TOP - 18, 12, 12, OURS),
        text(LEFT + 128, TOP - 8, "ours"),
    ]
    return picture(title, TOP + len(rows) * 2 * (BAR + 4) + 10, [*legend, *parts])


def bar(top: float, share: float, colour: str, told: str) -> str:
    """Return one bar with its figure behind it."""
    length = max(1.0, share * (WIDTH - LEFT - RIGHT))
    return rectangle(LEFT, top, length, BAR - 2, colour) + text(LEFT + length + 6, top + BAR - 7, told)


def lines(title: str, series: Mapping[str, Sequence[float]], highest: float) -> str:
    """Return one line for each series over the seconds of the simulation, and a band while capacity was halved."""
    left, bottom, height, width = 50, 330, 260, WIDTH - 80

    def across(second: float) -> float:
        return left + width * second / END

    def up(value: float) -> float:
        return bottom - height * value / highest

    band = rectangle(across(HALVED[0]), bottom - height, across(HALVED[1]) - across(HALVED[0]), height, "#f3e3d3")
    parts = [band, text(across(HALVED[0]) + 4, bottom - height + 14, "half capacity", size=11)]
    for value in range(0, int(highest) + 1, 25):
        parts.append(
            f'<line x1="{left}" x2="{left + width}" y1="{up(value):.1f}" y2="{up(value):.1f}" stroke="#e3e7eb"/>'
        )
        parts.append(text(left - 8, up(value) + 4, str(value), anchor="end"))
    parts += [text(across(second), bottom + 18, f"{second} s", anchor="middle") for second in range(0, END + 1, 50)]
    step = END / len(next(iter(series.values())))
    for index, (name, values) in enumerate(series.items()):
        points = " ".join(f"{across((at + 0.5) * step):.1f},{up(value):.1f}" for at, value in enumerate(values))
        colour, dash = COLOURS[index], DASHES[index]
        style = f'fill="none" stroke="{colour}" stroke-width="2.5" stroke-dasharray="{dash}"'
        row = bottom + 44 + 20 * index
        parts.append(f'<polyline points="{points}" {style}/>')
        parts.append(f'<line x1="{left}" x2="{left + 40}" y1="{row - 4}" y2="{row - 4}" {style}/>')
        parts.append(text(left + 50, row, name))
    return picture(title, bottom + 44 + 20 * len(series), parts)


def picture(title: str, height: float, parts: Sequence[str]) -> str:
    """Return an SVG document on white, readable on a dark page too."""
    size = f'width="{WIDTH}" height="{height:g}" viewBox="0 0 {WIDTH} {height:g}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="sans-serif">'
    body = "\n".join([rectangle(0, 0, WIDTH, height, "#ffffff"), text(12, 24, title, size=16), *parts])
    return f"{head}\n<title>{escape(title)}</title>\n{body}\n</svg>\n"


def rectangle(left: float, top: float, width: float, height: float, colour: str) -> str:
    """Return a filled rectangle."""
    return f'<rect x="{left:g}" y="{top:g}" width="{width:.1f}" height="{height:g}" fill="{colour}"/>'


def text(x: float, y: float, told: str, *, size: int = 12, anchor: str = "start") -> str:
    """Return a line of text."""
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="#22303c"'
    return f"<text {place}>{escape(told)}</text>"


def main() -> None:
    """Run every simulation, draw, and write the table."""
    rows = figures.figures()
    drawn = {
        "published-jitter.svg": bars(
            "Writes until 100 clients have updated one row", _of(rows, "writes"), lambda value: value / 2500
        ),
        "published-metastable.svg": lines(
            "Answers in time per second: 80 wanted, 100 possible",
            {case: _smoothed(figures.simulation(case).goodput[:END], 5) for case in figures.CLIENTS},
            100,
        ),
        "published-amplification.svg": bars(
            "Calls for each that was wanted, when all fail (logarithmic)", _of(rows, "calls"), _logarithmic(1, 300)
        ),
        "published-hedging.svg": bars(
            "The slowest page in a thousand, ms (logarithmic)", _of(rows, "100-way")[:2], _logarithmic(10, 3000)
        ),
    }
    for name, drawing in drawn.items():
        (PICTURES / name).write_text(drawing, encoding="utf-8")
        print(f"docs/pictures/{name}")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(TABLE.sub(lambda found: found[1] + table(rows) + found[2], page), encoding="utf-8")
    print(f"docs/why/{PAGE.name}")


def _of(rows: Sequence[Figure], experiment: str) -> list[Figure]:
    return [row for row in rows if row.experiment.startswith(experiment)]


def _smoothed(values: Sequence[float], width: int) -> list[float]:
    return [sum(values[at : at + width]) / width for at in range(0, len(values), width)]


def _logarithmic(least: float, most: float) -> Callable[[float], float]:
    return lambda value: log(max(value, least) / least) / log(most / least)


if __name__ == "__main__":
    main()
