"""Clocks whose hands can be set as those of no honest clock, for tests of what is told the time by one."""

from datetime import datetime, timedelta

from data_source_orchestrator.core.clock import ManualClock
from data_source_orchestrator.testing import VirtualClock


class _Hands:
    """Two hands that can be set apart, backwards too, while timers keep to the clock as it would have gone."""

    stepped = 0.0
    """Seconds by which the monotonic hand was set; the wall clock's stays."""
    wall_set = 0.0
    """Seconds by which the wall clock's hand was set; the monotonic one stays."""

    def step(self, seconds: float) -> None:
        self.stepped += seconds

    def set_wall(self, seconds: float) -> None:
        self.wall_set += seconds


class HandSetClock(_Hands, ManualClock):
    """A manual clock with such hands."""

    def monotonic(self) -> float:
        return super().monotonic() + self.stepped

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.wall_set)


class HandSetVirtualClock(_Hands, VirtualClock):
    """Virtual time with such hands."""

    def monotonic(self) -> float:
        return super().monotonic() + self.stepped

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.wall_set - self.stepped)
