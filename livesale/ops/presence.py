"""Presence: what a studio sees of its show right now. Not durable: a studio that stops telling is forgotten in 5 s.

Key `{show:ID}:live`, a hash; the one key beside the reply cache that the store lets expire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from livesale.store.valkey import Store

FORGOTTEN_MS = 5_000
NUMBERS = (
    "viewers", "bitrate_kbps", "media_delay_ms", "picture_age_ms", "key_interval_ms", "fps", "width", "height", "updated",
)  # fmt: skip
NOTHING: dict[str, Any] = {
    **dict.fromkeys(NUMBERS, 0), "media_delay_ms": -1, "picture_age_ms": -1, "key_interval_ms": -1, "host": "",
    "warnings": "",
}  # fmt: skip


async def write_live(store: Store, show: str, live: Mapping[str, Any]) -> None:
    """Tell how `show` is doing, each second while it is held: `NUMBERS`, `host` (`waiting`, `live`, `lost`), `warnings`.

    `media_delay_ms`: from a picture's last packet to the hub; `picture_age_ms`: since the last picture came;
    `key_interval_ms`: between the last two key frames; −1: none.
    """
    told = {name: live[name] for name in NOTHING if live.get(name) is not None}
    told["updated"] = store.now_ms()
    fields = [part for pair in told.items() for part in pair]
    await asyncio.gather(
        store.ask("HSET", _key(show), *fields), store.ask("PEXPIRE", _key(show), FORGOTTEN_MS)
    )  # one turn: one pipeline, in this order


async def read_live(store: Store, show: str) -> dict[str, Any]:
    """What was last told of `show`; zeros, and `updated` 0, when nobody tells."""
    return (await read_all(store, [show]))[show]


async def read_all(store: Store, shows: Iterable[str]) -> dict[str, dict[str, Any]]:
    """`read_live` of many shows in one round trip."""
    names = list(shows)
    found = await asyncio.gather(*(store.ask("HGETALL", _key(show)) for show in names))
    return {show: NOTHING | _decoded(raw) for show, raw in zip(names, found, strict=True)}


def _key(show: str) -> str:
    return f"{{show:{show}}}:live"


def _decoded(raw: Mapping[bytes, bytes]) -> dict[str, Any]:
    told = {name.decode(): value.decode() for name, value in raw.items()}
    return {name: _number(value) if name in NUMBERS else value for name, value in told.items()}


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
