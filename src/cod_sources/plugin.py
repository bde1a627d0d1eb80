"""What the house is told of this plug-in: its sources, how their weapons are merged, and the made-up upstreams.

The parsers and the libraries that they need are loaded when sources are built, never before.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from cod_sources import variables
from cod_sources.rules import RULES
from cod_sources.variables import api_base_url, base_url, switched_on
from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.plugin import Environment, Fault, Plugin, Variable
from data_source_orchestrator.core.source import Source


def sources(env: Environment) -> Sequence[Source[Any]]:
    """Build the three sources, or raise `ConfigurationError` for a variable or an installation that cannot serve."""
    try:
        from cod_sources import codarmory, codmunity, wzstats  # noqa: PLC0415 — their libraries are an extra
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return (
        codarmory.source(base_url(env, variables.CODARMORY)),
        _switch(wzstats.source(base_url(env, variables.WZSTATS)), env, variables.WZSTATS_ENABLED),
        _switch(
            codmunity.source(base_url(env, variables.CODMUNITY), api_base_url(env)), env, variables.CODMUNITY_ENABLED
        ),
    )


def sandbox(*, faults: Mapping[str, str], port: int) -> AbstractAsyncContextManager[Environment]:
    """Serve made-up upstreams in the real shapes, and give the variables that point the sources at them."""
    from cod_sources.sandbox import serve  # noqa: PLC0415 — nobody who asks real upstreams needs it

    return serve(faults=faults, port=port)


def faults() -> tuple[Fault, ...]:
    """Tell the switches that make the sandbox's upstreams misbehave."""
    from cod_sources.sandbox.faults import FAULTS  # noqa: PLC0415 — who asks for no fault loads no sandbox

    return tuple(
        Fault(name=each.name, spelling=each.spelling, meaning=each.meaning, sources=each.only)
        for each in FAULTS.values()
    )


def _switch(source: Source[Any], env: Environment, variable: Variable) -> Source[Any]:
    if switched_on(env, variable):
        return source
    return source.but(enabled=False, switched_off_by=variable.name)


def _missing(error: ModuleNotFoundError) -> ConfigurationError:
    return ConfigurationError(
        f"the Call of Duty sources need {error.name}, which is not installed;"
        " install data-source-orchestrator[cod], or switch plug-ins off"
    )


plugin = Plugin(name="cod", sources=sources, rules=RULES, sandbox=sandbox, faults=faults, variables=variables.VARIABLES)
