"""Reaching an upstream over HTTP: one request, judged, bounded, and given back as data or as a `FetchError`.

Importing this room loads no aiohttp; the first request does. Nothing here sleeps or retries, and nothing knows what
a source is.
"""

from data_source_orchestrator.web.policy import HttpPolicy
from data_source_orchestrator.web.pool import HttpPool
from data_source_orchestrator.web.response import Response

__all__ = ["HttpPolicy", "HttpPool", "Response"]
