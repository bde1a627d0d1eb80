"""Synchronise weapon data from every installed source, and say what came of it.

Run it with `uv run python examples/sync_weapons.py`; the environment says where the sources are.
"""

import asyncio
import sys

from cod_sources.codarmory import CodArmory
from data_source_orchestrator import orchestrator


def process_base_stats(data: CodArmory) -> None:
    """Do with the catalogue whatever your program does."""
    print(f"  catalogue: {len(data.weapons)} weapons, {len(data.attachments)} attachments")


async def sync_weapons() -> int:
    """Fetch once; return 0 where at least one source gave data."""
    print("Starting weapon data sync...")
    async with orchestrator:
        data = await orchestrator.fetch_from_all_sources()
        if not data.metadata.sufficient:
            for outcome in data.outcomes.values():
                print(f"  {outcome}", file=sys.stderr)
            return 1
        if data.codarmory:
            process_base_stats(data.codarmory)
        if data.wzstats:
            print(f"  tier lists: {len(data.wzstats.weapons)} weapons")
        if data.codmunity:
            print(f"  ballistics: {len(data.codmunity.weapon_stats)} weapons")
        told = data.metadata
        print("\nSync complete:")
        print(f"  sources: {', '.join(told.sources)}")
        print(f"  duration: {told.total_duration:.2f} s")
        print(f"  success: {told.success_count}/{told.success_count + told.failure_count}")
        print(f"\nSystem health: {orchestrator.get_overall_health().status}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(sync_weapons()))
