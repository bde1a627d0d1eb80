"""A state that several processes keep in one store, with the version that tells whose word is the newest."""

from dataclasses import dataclass

from data_source_orchestrator.core.claim import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Versioned:
    """A breaker's or a pace's state, with the version of the stored one that it grew out of."""

    version: int
    state: Json

    @property
    def document(self) -> Json:
        """What is stored of it."""
        return {"version": self.version, "state": self.state}


NEVER_STORED = Versioned(version=0, state=None)


def versioned(document: Json) -> Versioned:
    """Return what is stored; what cannot be read is as if it had never been stored."""
    match document:
        case {"version": int(version), "state": state}:
            return Versioned(version=version, state=state)
        case _:
            return NEVER_STORED
