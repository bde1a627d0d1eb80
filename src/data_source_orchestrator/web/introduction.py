"""Who is asking, as upstreams read it: the `User-Agent` of every request, and the name that robots.txt speaks to."""

import importlib.metadata
import re

from data_source_orchestrator.web.policy import HttpPolicy

DISTRIBUTION = "data-source-orchestrator"

PROJECT = f"https://pypi.org/project/{DISTRIBUTION}/"
"""Where a site's owner reads what this program is, where `http.contact` names nobody."""

_TOKEN = re.compile(r"[A-Za-z_-]+")


def user_agent(policy: HttpPolicy) -> str:
    """Return the line that says who is asking: `http.user_agent`, or name, version and whom to write to."""
    return policy.user_agent or f"{DISTRIBUTION}/{_version()} (+{policy.contact or PROJECT}; automatic data sync)"


def product_token(agent: str) -> str:
    """Return the name by which robots.txt addresses this agent (RFC 9309, section 2.2.1), in small letters."""
    found = _TOKEN.match(agent.strip())
    return (found[0] if found else DISTRIBUTION).lower()


def _version() -> str:
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return "unreleased"
