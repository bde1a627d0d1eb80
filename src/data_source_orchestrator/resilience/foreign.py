"""What the errors of other libraries carry: an HTTP status, or another error; none of the libraries is imported."""

from data_source_orchestrator.core.classification import meaning_of_class
from data_source_orchestrator.core.verdicts import FailureKind


def is_garbled(error: BaseException) -> bool:
    """Return whether an error only pretends to carry a status: aiohttp gives 400 to an answer that is no HTTP."""
    return error.__cause__ is not None and meaning_of_class(error.__cause__) is FailureKind.CONNECTION


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that a library's error carries, or None."""
    response = getattr(error, "response", None)
    for holder, name in ((error, "status"), (response, "status_code")):
        status = getattr(holder, name, None)
        if isinstance(status, int):
            return status
    return None
