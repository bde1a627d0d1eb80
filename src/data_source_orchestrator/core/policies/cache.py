"""Up to which age a source's kept data may stand in for a new answer."""

from dataclasses import dataclass, replace

from data_source_orchestrator.core.durations import Seconds, age, count, in_seconds
from data_source_orchestrator.core.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePolicy:
    """Up to which age a source's kept data stands in for a new answer; ages are in seconds since it was accepted.

    Younger than `ttl` it is served without asking. Up to `stale_while_revalidate` it is served at once, while a new
    answer is fetched in the background. Up to `stale_if_error` it is served beside a failure, never as a success. All
    three are ages on one scale (RFC 5861 counts the latter two from the end of the first); 0 switches one off.
    `max_entries` bounds what is kept of one source, where it is asked for several things.
    """

    ttl: Seconds
    stale_while_revalidate: Seconds = 0.0
    stale_if_error: Seconds = 0.0
    max_entries: int = 256

    def __post_init__(self) -> None:
        for name in ("ttl", "stale_while_revalidate", "stale_if_error"):
            object.__setattr__(self, name, age(getattr(self, name), f"cache.{name}"))
        count(self.max_entries, "cache.max_entries", least=1)
        self._check_window("stale_while_revalidate")
        self._check_window("stale_if_error")
        if not (self.ttl or self.stale_while_revalidate or self.stale_if_error):
            raise ConfigurationError(
                "cache.ttl is 0, and so are cache.stale_while_revalidate and cache.stale_if_error: nothing that is kept"
                " would ever be served; give one of them more than 0 seconds, or no cache"
            )

    def _check_window(self, name: str) -> None:
        ttl, until = in_seconds(self.ttl), in_seconds(getattr(self, name))
        if 0 < until <= ttl:
            raise ConfigurationError(
                f"cache.{name} is {until!r} and cache.ttl {ttl!r}; both are ages in seconds, and data is stale only"
                f" from ttl on: give a {name} above ttl, or 0 for none"
            )


def serving_stale(cache: CachePolicy | None, serve_stale: Seconds | None, key: str) -> CachePolicy | None:
    """Return a source's policy with its `serve_stale` in it, or raise `ConfigurationError` where they contradict.

    Without a policy nothing is served without asking: what is kept stands by for failures alone.
    """
    if serve_stale is None:
        return cache
    until = age(serve_stale, f"{key}.serve_stale")
    if until == 0:
        raise ConfigurationError(f"{key}.serve_stale is {serve_stale!r}; give more than 0 seconds, or None for never")
    if cache is None:
        return CachePolicy(ttl=0, stale_if_error=until)
    if until <= in_seconds(cache.ttl):
        raise ConfigurationError(
            f"{key}.serve_stale is {until!r} and {key}.cache.ttl {cache.ttl!r}; data is stale only from ttl on:"
            " give a serve_stale above ttl"
        )
    if in_seconds(cache.stale_if_error) not in {0.0, until}:
        raise ConfigurationError(
            f"{key}.serve_stale is {until!r} and {key}.cache.stale_if_error {cache.stale_if_error!r}; they say the same"
            " thing: give one of them"
        )
    return replace(cache, stale_if_error=until)
