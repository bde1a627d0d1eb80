"""The first plug-in: Call of Duty weapon data from CODArmory, WZStats and CODMunity.

Importing it loads nothing but the core's words; the parsers and their libraries come when sources are built.
"""

from cod_sources.plugin import plugin

__all__ = ["plugin"]
