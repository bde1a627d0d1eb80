"""What one source knows of its upstream's errors, statuses and pages beyond the table that holds for all."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from data_source_orchestrator.core.classification.signs import Sign
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.telling import did_you_mean, told
from data_source_orchestrator.core.verdicts import FailureKind

_STATUSES = range(100, 600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """A source's own rows, read before the common table, as `Classification(statuses={404: "empty"})`.

    `errors` maps classes of errors to failure kinds, the nearest ancestor first; a `FetchError` always says its kind
    itself. `statuses` maps HTTP statuses, good ones too, whichever library met them. `signs` are looked for in what our
    own client is answered. A kind may be given as text. Raises `ConfigurationError` for what is none of these.
    """

    errors: Mapping[type[BaseException], FailureKind | str] = field(default_factory=dict)
    statuses: Mapping[int, FailureKind | str] = field(default_factory=dict)
    signs: tuple[Sign, ...] = ()

    def __post_init__(self) -> None:
        _refuse("errors", self.errors, _is_error, "classes of exceptions")
        _refuse("statuses", self.statuses, _is_status, "HTTP statuses, from 100 to 599")
        _refuse("signs", self.signs, lambda sign: isinstance(sign, Sign), "a tuple of Sign(…)")
        self._set("errors", {error: _kind(kind, "errors") for error, kind in self.errors.items()})
        self._set("statuses", {status: _kind(kind, "statuses") for status, kind in self.statuses.items()})
        self._set("signs", tuple(self.signs))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def kind_of(self, error: BaseException) -> FailureKind | None:
        """Return what the source says of an error, or None where it says nothing."""
        return next((FailureKind(self.errors[known]) for known in type(error).__mro__ if known in self.errors), None)

    def kind_of_status(self, status: int | None) -> FailureKind | None:
        """Return what the source says of a status, or None where it says nothing."""
        kind = None if status is None else self.statuses.get(status)
        return None if kind is None else FailureKind(kind)


def _refuse(member: str, given: Iterable[object], fits: Callable[[object], bool], accepted: str) -> None:
    for each in given:
        if not fits(each):
            raise ConfigurationError(f"classification.{member} names {told(each)}; give {accepted}")


def _is_error(given: object) -> bool:
    return isinstance(given, type) and issubclass(given, BaseException)


def _is_status(given: object) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and given in _STATUSES


def _kind(kind: object, member: str) -> FailureKind:
    try:
        return FailureKind(str(kind))
    except ValueError:
        accepted = f"give one of {', '.join(FailureKind)}{did_you_mean(kind, tuple(FailureKind))}"
        raise ConfigurationError(f"classification.{member} maps to {told(kind)}; {accepted}") from None
