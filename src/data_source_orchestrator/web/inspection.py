"""An answer as it may be kept for people to look at: nothing in its address or its headers that may be secret."""

from data_source_orchestrator.core.served import Served
from data_source_orchestrator.web.redaction import looks_secret, shown
from data_source_orchestrator.web.response import Response


def without_secrets(response: Response) -> Served:
    """Return what was served, without userinfo, secret query values and the headers that may hold something secret."""
    return Served(
        url=shown(response.url),
        status=response.status,
        headers={name: value for name, value in response.headers.items() if not looks_secret(name)},
        body=response.body,
        length=len(response.body),
    )
