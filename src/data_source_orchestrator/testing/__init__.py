"""Shipped fakes for tests of sources and of whatever is built on this library."""

from data_source_orchestrator.testing.fault_server import FaultServer
from data_source_orchestrator.testing.recorder import Recorder
from data_source_orchestrator.testing.scripted import After, Hang, Script, script_of, scripted
from data_source_orchestrator.testing.virtual_time import DeadWaitError, VirtualClock, VirtualTimeLoop, run_virtual

__all__ = [
    "After",
    "DeadWaitError",
    "FaultServer",
    "Hang",
    "Recorder",
    "Script",
    "VirtualClock",
    "VirtualTimeLoop",
    "run_virtual",
    "script_of",
    "scripted",
]
