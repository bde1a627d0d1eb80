"""Settings: defaults < `dso.toml` < environment < flags, every mistake told in the words of whoever made it.

It builds nothing, reads no variable that it was not handed, and loads pydantic only when `load` is called.
"""

from data_source_orchestrator.settings.hosts import HOST_LIMITS, host_limits, host_of, with_host
from data_source_orchestrator.settings.loading import Settings, load
from data_source_orchestrator.settings.overrides import SourceOverrides
from data_source_orchestrator.settings.reference import CONFIG, SETTINGS, VARIABLES, Setting
from data_source_orchestrator.settings.strangers import refuse_strangers

__all__ = [
    "CONFIG",
    "HOST_LIMITS",
    "SETTINGS",
    "VARIABLES",
    "Setting",
    "Settings",
    "SourceOverrides",
    "host_limits",
    "host_of",
    "load",
    "refuse_strangers",
    "with_host",
]
