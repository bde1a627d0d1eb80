"""The three upstreams made up and served on loopback, in the real shapes and with the real traps.

Every weapon and every figure is invented. Plays the upstreams only: it knows no parser and no engine.
"""

from cod_sources.sandbox.faults import FAULTS, SOURCES, Fault, Parameter
from cod_sources.sandbox.server import Sandbox, serve

__all__ = ["FAULTS", "SOURCES", "Fault", "Parameter", "Sandbox", "serve"]
