"""What upstreams served that was no data, kept as files for people to look at: a folder for each breach.

In it `about.json` says what was wrong and what was asked, and `1.gz`, `2.gz`, … are the bodies as they were served,
decoded: `zcat 1.gz` shows one. It knows no database.
"""

import gzip
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC
from functools import partial
from pathlib import Path

from data_source_orchestrator.core.claim import Json
from data_source_orchestrator.core.errors import StoreError
from data_source_orchestrator.core.ports import Breach
from data_source_orchestrator.core.served import Served
from data_source_orchestrator.core.threads import in_thread

KEPT = 5
"""Breaches that are kept of each source; the oldest is let go first."""

ABOUT = "about.json"

_UNFINISHED = ".unfinished"


class InspectionFolder:
    """Breaches below one folder, by source; of each source the last `KEPT`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, breach: Breach) -> None:
        """Write a breach, and let go of the oldest; raises `StoreError` where that cannot be done."""
        try:
            await in_thread(partial(self._keep, breach), name="dso-inspection")
        except OSError as error:
            raise StoreError(f"{self._folder} cannot be written: {error}") from error

    def kept(self, source: str) -> list[Path]:
        """Return the folders of a source's breaches, the newest first; none where they cannot be read."""
        try:
            found = [path for path in (self._folder / source).iterdir() if path.suffix != _UNFINISHED]
        except OSError:
            return []
        return sorted(found, reverse=True)

    def _keep(self, breach: Breach) -> None:
        home = self._folder / breach.source
        name = f"{breach.at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"
        unfinished = home / f"{name}{_UNFINISHED}"
        unfinished.mkdir(parents=True, exist_ok=True)
        try:
            _write(unfinished, breach)
            unfinished.rename(home / name)  # at once, so that nobody finds half of it
        except OSError:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        for old in self.kept(breach.source)[KEPT:]:
            shutil.rmtree(old, ignore_errors=True)


def _write(folder: Path, breach: Breach) -> None:
    about: dict[str, Json] = {
        "schema": "dso.breach/1",
        "source": breach.source,
        "at": breach.at.astimezone(UTC).isoformat(),
        "message": breach.message,
        "answers": list(_answers(breach.served)),
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=2), encoding="utf-8")
    for number, served in enumerate(breach.served, start=1):
        (folder / f"{number}.gz").write_bytes(gzip.compress(served.body, compresslevel=6))


def _answers(answers: tuple[Served, ...]) -> Iterator[dict[str, Json]]:
    for number, served in enumerate(answers, start=1):
        yield {
            "file": f"{number}.gz",
            "url": served.url,
            "status": served.status,
            "headers": dict(served.headers),
            "bytes": served.length,
            "bytes_kept": len(served.body),
        }


def message_of(folder: Path) -> str:
    """Return what was wrong, as the folder of a breach tells it; nothing where it cannot be read."""
    with suppress(OSError, ValueError):
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if isinstance(about, dict):
            return str(about.get("message", ""))
    return ""
