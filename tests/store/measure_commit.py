"""Measures the commit alone: `python -m tests.store.measure_commit [LUA_FILE]` (figures are in store/COMMIT.md).

The hold's Decision (4 counters, one put of 300 bytes, one mark, an idempotency key, one event) is sent as the store's own
client sends it, over the Unix socket to a Valkey with `appendfsync always` on the disk of the temporary folder. All
Decisions are packed before the clock starts: this is the store's speed, not Python's. Beside it the floor: an HINCRBY.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from statistics import median

from livesale.kernel.ids import new_id, random_name
from livesale.store.decision import Counter, Decision, Mark, Once, Put
from livesale.store.valkey import Store, _keys, connect
from tests.support.valkey import ValkeyProcess

SHELF = "show:4k2c000000"
OFFER = "of_s4k2c000000_0000000000000001"
COMMITS = 6_000
ROUNDS = 5
PIPELINES = (1, 16, 64, 256)


def hold(number: int) -> Decision:
    """What the orders room commits when a buyer presses the button."""
    order, account = new_id("o", SHELF), f"b{number:09d}"
    line = {"offer": OFFER, "product": "p_0000000001", "quantity": 1, "price": 1999}
    told = {
        "type": "order_changed", "owner": account, "order": order, "version": 1, "state": "held", "before": "",
        "lines": [line], "total": 1999, "currency": "EUR", "shop": "demo", "held_at": 1_790_000_000_000,
        "reserved_until": 1_790_000_600_000, "reason": "",
    }  # fmt: skip
    return Decision(
        SHELF,
        counters=(
            Counter(f"free:{OFFER}", -1),
            Counter(f"held:{OFFER}", 1),
            Counter(f"buyer:{account}:{OFFER}", 1, 0, 3),
            Counter("n:held", 1),
        ),
        puts=(Put(f"order:{order}", 0, bytes(300)),),
        marks=(Mark("due", f"hold:{order}", 1_790_000_600_000),),
        once=Once(f"{account}:place", random_name(), random_name(52), bytes(300)),
        events=(told,),
    )


def commands() -> list[tuple[object, ...]]:
    """Fresh holds, packed."""
    rows = []
    for number in range(COMMITS):
        decision = hold(number)
        keys = _keys(decision)
        rows.append(("FCALL", "livesale_commit", len(keys), *keys, decision.packed()))
    return rows


async def cpu_s(store: Store) -> float:
    """CPU seconds the store's main thread has spent."""
    told = await store.client.info("cpu")
    return float(told["used_cpu_user_main_thread"]) + float(told["used_cpu_sys_main_thread"])


async def rate(store: Store, rows: list[tuple[object, ...]], at_once: int) -> tuple[float, float]:
    """Commands a second, and µs of the store's CPU a command, with `at_once` in each pipeline."""
    most = rows if at_once > 16 else rows[: len(rows) // 6]
    batches = [most[i : i + at_once] for i in range(0, len(most), at_once)]
    connection = await store.client.connection_pool.get_connection()
    packed = [b"".join(part for row in batch for part in connection.pack_command(*row)) for batch in batches]
    spent, began = await cpu_s(store), time.perf_counter()
    for batch, wire in zip(batches, packed, strict=True):
        await connection.send_packed_command([wire])
        for _ in batch:
            reply = await connection.read_response()
            assert not isinstance(reply, list) or reply[0] == b"ok", reply
    took = time.perf_counter() - began
    await store.client.connection_pool.release(connection)
    return len(most) / took, 1e6 * (await cpu_s(store) - spent) / len(most)


async def main(source: str | None) -> None:
    """Print a line for each pipeline length: the commit and the floor, medians of the rounds."""
    valkey = ValkeyProcess()
    valkey.start()
    try:
        store = await connect(valkey.url)
        if source:
            await store.client.execute_command("FUNCTION", "LOAD", "REPLACE", source)
        print("a pipeline   commits/s   µs CPU   HINCRBY/s   µs CPU")
        for at_once in PIPELINES:
            found = []
            for _ in range(ROUNDS):
                await store.client.flushall()
                await store.commit(Decision(SHELF, counters=(Counter(f"free:{OFFER}", 10**6),)))
                floor = await rate(store, [("HINCRBY", "{f}", "n", 1)] * COMMITS, at_once)
                found.append((*await rate(store, commands(), at_once), *floor))
            speed, cost, floor_speed, floor_cost = (median(column) for column in zip(*found, strict=True))
            print(f"{at_once:10} {speed:11,.0f} {cost:8.1f} {floor_speed:11,.0f} {floor_cost:8.1f}")
    finally:
        valkey.kill()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_text() if len(sys.argv) > 1 else None))
