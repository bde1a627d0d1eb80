"""How weapons are merged: which source is believed before which, field by field, and what carries a capability."""

from data_source_orchestrator.core.claim import MergeRules

_CATALOGUE = ("codarmory", "wzstats", "codmunity")
_CLASS = ("codarmory", "codmunity", "wzstats")
"""WZStats has no class for launchers and calls them shotguns or marksman rifles; CODMunity names them."""

RULES = MergeRules(
    order={
        "name": _CATALOGUE,
        "game": _CATALOGUE,
        "category": _CLASS,
        "slot": ("codarmory",),
        "platform": ("codarmory",),
        "max_level": ("codarmory",),
        "unlock": ("codarmory",),
        "attachments": ("codarmory",),
        "tier": ("wzstats",),
        "is_new": ("wzstats",),
        "kit": ("wzstats",),
        "base": ("wzstats",),
        "ballistics": ("codmunity",),
        "popularity": ("codmunity",),
    },
    capabilities={
        "base_stats": "base_stats",
        "attachments": "attachments",
        "categories": "category",
        "tier": "tier",
        "win_rate": "win_rate",
        "pick_rate": "pick_rate",
        "ttk": "ballistics.ttk",
        "damage_range": "ballistics.damage_range",
        "recoil": "ballistics.recoil",
        "bullet_velocity": "ballistics.bullet_velocity",
    },
    groups=("game",),
    volatile=("popularity", "is_new"),
    called=("weapon", "weapons"),
    parts={"tier": "mode"},
)
