"""From options to settings: which settings hold, which folder keeps the store, which faults are thrown."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from platformdirs import user_data_path

from data_source_orchestrator.cli.options import Common
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.settings import Settings, load

TYPED = {"--min-successful-sources": "--min-successful", "--parallel-execution": "--sequential"}
"""Flags that go by another name than their setting."""


def settled(options: Common) -> Settings:
    """Return the settings for the working folder, with the flags over them, or raise `ConfigurationError`."""
    try:
        settings = load(environ=os.environ, folder=_working_folder(), config=_config(options), flags=options.flags())
    except ConfigurationError as error:
        raise ConfigurationError(_as_typed(str(error))) from error
    return replace(settings, origins={key: _as_typed(origin) for key, origin in settings.origins.items()})


def data_folder(settings: Settings) -> Path:
    """Return the folder that holds the store: the one that was set, or else the user's own."""
    return settings.data_dir or user_data_path("dso", appauthor=False)


def faults(options: Common) -> Mapping[str, str]:
    """Return the faults that were asked for by source key, several of one source joined; or `ConfigurationError`."""
    thrown: dict[str, str] = {}
    for told in options.faults():
        key, sign, spec = told.partition("=")
        if not (key and sign and spec):
            raise ConfigurationError(
                f"flag --fault is {told!r}; give KEY=SPEC, such as wzstats=latency=2;"
                " `dso sandbox --list-faults` tells what there is"
            )
        thrown[key] = f"{thrown[key]}+{spec}" if key in thrown else spec
    return thrown


def sandbox_faults(options: Common) -> Mapping[str, str]:
    """Return the faults, which only made-up upstreams can have."""
    thrown = faults(options)
    if thrown and not options.sandbox:
        raise ConfigurationError("flag --fault is for made-up upstreams only; give --sandbox too, or leave it away")
    return thrown


def _config(options: Common) -> Path | None:
    """Return the settings file that was typed; an empty path would be the working folder itself."""
    if options.config is not None and not options.config.strip():
        raise ConfigurationError(f"flag --config is {options.config!r}; give the path of a settings file (TOML)")
    return Path(options.config) if options.config else None


def _working_folder() -> Path:
    try:
        return Path.cwd()
    except OSError:
        raise ConfigurationError("the working folder does not exist any longer; go to one that does") from None


def _as_typed(sentence: str) -> str:
    for name, typed in TYPED.items():
        sentence = re.sub(rf"flag {name}(?![\w-])", f"flag {typed}", sentence)
    return sentence
