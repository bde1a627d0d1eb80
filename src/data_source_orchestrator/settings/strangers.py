"""Variables that look like one of a plug-in's and are none: most likely misspelt, and silently without effect.

Which variables there are is known only when the plug-ins are loaded, which settings decide.
"""

import difflib
from collections.abc import Collection, Iterable

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.settings.layers import unknown
from data_source_orchestrator.settings.loading import Settings

NEAR = 0.93
"""How like a declared variable a name must be to be taken for it: a letter or two of twenty."""


def refuse_strangers(settings: Settings, declared: Collection[str], sources: Iterable[str]) -> None:
    """Raise `ConfigurationError` for each variable that a plug-in's source seems to be meant by, and nobody declares.

    Those are the names that begin with a source's key, where some declared variable does, and misspelt declared ones.
    """
    prefixes = _prefixes(declared, sources)
    strange = [name for name in settings.environment if _strange(name, declared, prefixes)]
    if strange:
        raise ConfigurationError("\n".join(unknown(settings.origin_of(name), name, declared) for name in strange))


def _prefixes(declared: Collection[str], sources: Iterable[str]) -> tuple[str, ...]:
    """Return the words before which variables are a source's own; a word that is none's key may be anybody's."""
    own = [f"{key.upper().replace('-', '_')}_" for key in sources]
    return tuple(prefix for prefix in own if any(name.startswith(prefix) for name in declared))


def _strange(name: str, declared: Collection[str], prefixes: tuple[str, ...]) -> bool:
    if name in declared:
        return False
    loud = name.upper()
    return loud.startswith(prefixes) or bool(difflib.get_close_matches(loud, declared, n=1, cutoff=NEAR))
