"""The environment variables of the three sources: where they are served, and whether two of them are switched on."""

from urllib.parse import urlsplit

from data_source_orchestrator.core.errors import ConfigurationError
from data_source_orchestrator.core.plugin import Environment, Variable

CODARMORY = Variable(
    name="CODARMORY_BASE_URL",
    meaning="where /src/database/weapons.json and its five fellows are served",
    default="https://raw.githubusercontent.com/tzurbaev/codarmory.com/main",
)
WZSTATS = Variable(
    name="WZSTATS_BASE_URL",
    meaning="where /wz2/weapons/meta/weapons-and-tier-lists/ is served",
    default="https://app.wzstats.gg",
)
CODMUNITY = Variable(
    name="CODMUNITY_BASE_URL",
    meaning="where /weapon-stats/warzone is served, and the API too unless CODMUNITY_API_BASE_URL says otherwise",
    default="https://codmunity.gg",
)
CODMUNITY_API = Variable(
    name="CODMUNITY_API_BASE_URL",
    meaning="where /website/pages/meta-loadouts-ranking/ is served",
    default="https://api.codmunity.gg",
)
WZSTATS_ENABLED = Variable(
    name="WZSTATS_SCRAPER_ENABLED", meaning="false switches WZStats off, whatever else is set", default="true"
)
CODMUNITY_ENABLED = Variable(
    name="CODMUNITY_SCRAPER_ENABLED", meaning="false switches CODMunity off, whatever else is set", default="true"
)
VARIABLES = (CODARMORY, WZSTATS, CODMUNITY, CODMUNITY_API, WZSTATS_ENABLED, CODMUNITY_ENABLED)

_SPELLINGS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def base_url(env: Environment, variable: Variable) -> str:
    """Return an upstream's address without a slash at its end; a blank variable is one that is not set."""
    value = env.get(variable.name, "").strip()
    if not value:
        return variable.default
    if not _is_address(value):
        raise ConfigurationError(
            f"{variable.name} is {value!r}; give an address that begins with http:// or https://"
            f" and has no query, as {variable.default}"
        )
    return value.rstrip("/")


def api_base_url(env: Environment) -> str:
    """Return the address of CODMunity's API, which goes where its site goes unless it is set itself."""
    own = env.get(CODMUNITY_API.name, "").strip()
    moved = env.get(CODMUNITY.name, "").strip()
    return base_url(env, CODMUNITY) if moved and not own else base_url(env, CODMUNITY_API)


def switched_on(env: Environment, variable: Variable) -> bool:
    """Return what a switch says; a blank one leaves the source on."""
    value = env.get(variable.name, "").strip()
    if not value:
        return True
    if value.lower() not in _SPELLINGS:
        raise ConfigurationError(
            f"{variable.name} is {value!r}; give true or false (1, 0, yes, no, on and off are understood too)"
        )
    return _SPELLINGS[value.lower()]


def _is_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    plain = value.isprintable() and " " not in value
    return (
        plain and parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query and not parts.fragment
    )
