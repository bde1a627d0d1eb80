"""What a contract refuses when it is built, because it contradicts itself; and the modes that it may have."""

from collections.abc import Collection
from enum import StrEnum
from itertools import chain

from data_source_orchestrator.core.contract.fields import Field
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.telling import did_you_mean, told


class ContractMode(StrEnum):
    """What becomes of a payload that breaks its contract.

    `enforce`: it is a failure. `warn`: it goes on, and the outcome warns of what is wrong. `quarantine`: bad rows are
    set aside and the good ones go on, up to a share; what is wrong with the whole payload is still a failure.
    """

    ENFORCE = "enforce"
    WARN = "warn"
    QUARANTINE = "quarantine"


def mode_of(value: object) -> ContractMode:
    """Return the mode of that name."""
    modes = tuple(ContractMode)
    if isinstance(value, str) and value in modes:
        return ContractMode(value)
    raise ConfigurationError(
        f"contract.mode is {told(value)}; give one of {', '.join(modes)}{did_you_mean(value, modes)}"
    )


def check_fields(fields: object) -> None:
    """Refuse what are no fields, and a field that is named twice."""
    if not isinstance(fields, tuple) or not all(isinstance(one, Field) for one in fields):
        raise ConfigurationError(f"contract.fields is {told(fields)}; give a tuple of Field")
    names = [one.name for one in fields]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigurationError(f"contract.fields names {twice!r} twice; say all of a field in one Field")


def check_rules(rules: object) -> None:
    """Refuse what are no functions."""
    if not isinstance(rules, tuple) or not all(callable(rule) for rule in rules):
        raise ConfigurationError(
            f"contract.rules is {told(rules)}; give a tuple of functions that take a row and return what is wrong, or"
            " None"
        )


def check_row_type(row_type: object) -> None:
    """Refuse what is no type."""
    if row_type is not None and not isinstance(row_type, type):
        raise ConfigurationError(f"contract.row_type is {told(row_type)}; give a type, or None for any")


def check_unique(unique: object, required: Collection[str]) -> None:
    """Refuse keys that are none, and those of fields that a row may lack."""
    if not isinstance(unique, tuple) or not all(_is_key(key) for key in unique):
        raise ConfigurationError(
            f"contract.unique is {told(unique)}; give a tuple of keys, each a field's name or a tuple of names,"
            " as ('id', ('game', 'name'))"
        )
    for name in chain.from_iterable((key,) if isinstance(key, str) else key for key in unique):
        if name not in required:
            raise ConfigurationError(
                f"contract.unique holds {name!r}, which is not required: rows without it could not be told apart;"
                f" add Field({name!r}, required=True) to contract.fields"
            )


def _is_key(key: object) -> bool:
    names = (key,) if isinstance(key, str) else key
    return isinstance(names, tuple) and bool(names) and all(isinstance(name, str) and name for name in names)
