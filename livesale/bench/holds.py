"""The floor of `bench orders`: the same commits by raw pipelined FCALLs over one connection, and nothing else.

What it leaves out is HTTP, tokens, prices and the rules; what it keeps is the store, its fsync and the log's readers.
"""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlsplit

import hiredis
from msgspec.structs import replace

from livesale.accounts.countries import shipped
from livesale.kernel.ids import random_name, shelf
from livesale.orders.placing import Wish, place, record_names
from livesale.orders.pricing import Destination
from livesale.orders.routes import rendered
from livesale.store.decision import Once
from livesale.store.valkey import Store, commit_command


async def commands(store: Store, show: str, offer: str, count: int) -> list[bytes]:
    """`count` holds of one unit each by as many buyers, ready to be sent."""
    on_shelf, wishes = shelf("show", show), [Wish(offer, 1)]
    records = await store.read(on_shelf, *record_names(wishes))
    to, packed = Destination("DE", shipped().rates("DE"), []), []
    for _ in range(count):
        account = random_name(10)
        order, decision = place(on_shelf, records, account, wishes, None, store.now_ms(), to)
        once = Once(f"{account}:orders", random_name(), random_name(32), rendered(order))
        packed.append(hiredis.pack_command(commit_command(replace(decision, once=once))))
    return packed


async def per_s(store_url: str, commits: list[bytes], at_once: int) -> float:
    """Commits a second with `at_once` of them under way."""
    parts = urlsplit(store_url)
    if parts.scheme == "unix":
        reader, writer = await asyncio.open_unix_connection(parts.path)
    else:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 6379)
    replies = hiredis.Reader()
    began_s = time.monotonic()
    for start in range(0, len(commits), at_once):
        batch = commits[start : start + at_once]
        writer.write(b"".join(batch))
        await _taken(reader, replies, len(batch))
    took_s = time.monotonic() - began_s
    writer.close()
    return len(commits) / took_s


async def _taken(reader: asyncio.StreamReader, replies: hiredis.Reader, expected: int) -> None:
    while expected:
        reply = replies.gets()
        if reply is False:
            replies.feed(await reader.read(65_536))
        elif isinstance(reply, list) and reply[0] == b"ok":
            expected -= 1
        else:
            raise RuntimeError(f"the store did not take a commit of the floor: {reply!r}")
