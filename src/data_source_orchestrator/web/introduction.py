"""Who is asking, as upstreams read it: the `User-Agent` of every request, and the name that robots.txt speaks to."""

import importlib.metadata
import re

from data_source_orchestrator.web.policy import HttpPolicy

DISTRIBUTION = "data-source-orchestrator"

PURPOSE = "automatic data sync"

_TOKEN = re.compile(r"[A-Za-z_-]+")


def user_agent(policy: HttpPolicy) -> str:
    """Return the line that says who is asking: `http.user_agent`, or name, version and whom to write to."""
    about = PURPOSE if policy.contact is None else f"+{policy.contact}; {PURPOSE}"
    return policy.user_agent or f"{DISTRIBUTION}/{_version()} ({about})"


def product_token(agent: str) -> str:
    """Return the name by which robots.txt addresses this agent (RFC 9309, section 2.2.1), in small letters."""
    found = _TOKEN.match(agent.strip())
    return (found[0] if found else DISTRIBUTION).lower()


def _version() -> str:
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return "unreleased"
