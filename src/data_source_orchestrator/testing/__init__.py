"""Shipped fakes for tests of sources and of whatever is built on this library."""

from data_source_orchestrator.testing.virtual_time import VirtualClock, VirtualTimeLoop, run_virtual

__all__ = ["VirtualClock", "VirtualTimeLoop", "run_virtual"]
