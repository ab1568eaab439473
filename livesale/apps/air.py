"""Where a show's broadcast stands, for the studio that takes it over.

Key `{show:ID}:air`, a hash, kept until the show ends: media time and generations only grow, whichever studio has it. Told
before a studio's first picture can leave, and each second from then on.
"""

from __future__ import annotations

from livesale.store.valkey import Store

SINCE_TOLD_US = 1_000_000  # what may have been sent since
GENERATIONS_SINCE = 16  # and how often the picture may have changed its size meanwhile


async def write_air(store: Store, show: str, end_us: int, generation: int) -> None:
    """Tell up to which media time and in which generation the show has been on air."""
    await store.ask("HSET", _key(show), "end_us", end_us, "generation", generation)


async def read_air(store: Store, show: str) -> tuple[int, int]:
    """Media time and generation that nothing sent so far goes beyond; (0, 0) when nothing was sent."""
    end_us, generation = await store.ask("HMGET", _key(show), "end_us", "generation")
    if end_us is None or generation is None:
        return 0, 0
    return int(end_us) + SINCE_TOLD_US, int(generation) + GENERATIONS_SINCE


async def forget_air(store: Store, show: str) -> None:
    """The show has ended."""
    await store.ask("DEL", _key(show))


def _key(show: str) -> str:
    return f"{{show:{show}}}:air"
