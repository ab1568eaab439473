"""A real network that fails, for root: `scripts/line network`. Exit 1 when something is noticed too late.

This machine ─ a router ─ the far side, each a network namespace of its own. The router drops packets at random (nftables) on
the way here: how much of a host's picture is on air then, beside the tests' own line (support/badline.py) with as much
loss. It forwards nothing for five seconds. Then nothing any more, and says nothing of it: when is whoever was behind it
noticed as gone? (Kernels with netem could delay packets too; the tests' line does that.)
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import uvloop

from livesale.hub.limits import Limits
from livesale.media.frames import VIDEO
from tests.hub.viewers import SHOW, House, Source, tag_of
from tests.media.far import PICTURE_BYTES
from tests.support.badline import bad_line
from tests.support.media import TOKEN, MediaServer, media_server, until
from tests.support.publisher import PICTURE_S, Camera, Microphone, Publisher

FAR, ROUTER = "livesale-far", "livesale-router"
HERE, THERE = "10.77.1.1", "10.77.2.2"
LOSSES = (2, 10)
LOSSY_S = 10.0
BLACK_OUT_S = 5.0
NOTICED_WITHIN_S = {
    "host by WHIP": 3.5, "page by WebSocket": 3.5, "page's socket": 17.0, "viewer": 24.0,
    "edge, as a show": 10.0, "edge, as a link": 8.0, "upstream, by the edge": 8.0,
}  # fmt: skip


def ip(words: str) -> None:
    """`ip`, or `NAMESPACE: COMMAND` in there."""
    where, _, command = words.partition(": ")
    inside = ["ip", "netns", "exec", where, *command.split()] if command else ["ip", *words.split()]
    subprocess.run(inside, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def networks() -> Iterator[None]:
    """The namespaces and what joins them."""
    try:
        for name in (FAR, ROUTER):
            ip(f"netns add {name}")
            ip(f"{name}: ip link set lo up")
        for one, other, here, there in (("lsl0", "lsl1", "", ROUTER), ("lsl2", "lsl3", ROUTER, FAR)):
            ip(f"link add {one} type veth peer name {other}")
            for end, place in ((one, here), (other, there)):
                if place:
                    ip(f"link set {end} netns {place}")
        for place, end, address in (("", "lsl0", f"{HERE}/24"), (ROUTER, "lsl1", "10.77.1.2/24"),
                                    (ROUTER, "lsl2", "10.77.2.1/24"), (FAR, "lsl3", f"{THERE}/24")):  # fmt: skip
            prefix = f"{place}: ip" if place else ""
            ip(f"{prefix} addr add {address} dev {end}".strip())
            ip(f"{prefix} link set {end} up".strip())
        ip("route add 10.77.2.0/24 via 10.77.1.2")
        ip(f"{FAR}: ip route add default via 10.77.2.1")
        ip(f"{ROUTER}: nft add table ip line")
        ip(f"{ROUTER}: nft add chain ip line way {{ type filter hook forward priority 0 ; }}")
        forward(True)
        yield
    finally:
        for name in (FAR, ROUTER):
            with suppress(subprocess.CalledProcessError):
                ip(f"netns delete {name}")


def forward(on: bool) -> None:
    """The router does its work, or nothing at all."""
    ip(f"{ROUTER}: sysctl -q -w net.ipv4.ip_forward={on:d}")


def lose(percent: int) -> None:
    """From now on so many of the packets on their way here."""
    ip(f"{ROUTER}: nft flush chain ip line way")
    if percent:
        ip(f"{ROUTER}: nft add rule ip line way ip saddr {THERE} numgen random mod 100 < {percent} counter drop")


@asynccontextmanager
async def far(told: dict[str, object]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of the far side that is ready."""
    process = await asyncio.create_subprocess_exec(
        "ip", "netns", "exec", FAR, sys.executable, "-m", "tests.media.far", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(told).encode() + b"\n")
    assert json.loads(await process.stdout.readline()) == "ready"
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def on_air(server: MediaServer, lossy: Callable[[int], None], percent: int) -> str:
    """What of a host's pictures comes through while so much is lost."""
    await until(lambda: len(server.fragments(VIDEO)) > 25)
    before, stats = len(server.fragments(VIDEO)), server.broadcasts.stats("s1")
    lossy(percent)
    await asyncio.sleep(LOSSY_S)
    lossy(0)
    after = server.broadcasts.stats("s1")
    assert stats is not None
    assert after is not None
    shown = (len(server.fragments(VIDEO)) - before) * PICTURE_S / LOSSY_S
    lost, sent = after.packets_lost - stats.packets_lost, after.packets_expected - stats.packets_expected
    return f"{shown:.0%} of the pictures on air, {lost} of {sent} packets given up, hosts {server.hosts}"


async def losses() -> None:
    """The router's loss beside the tests' own."""
    for percent in LOSSES:
        async with media_server(HERE) as server:
            server.open("s1")
            async with far({"whip": f"{server.url}/whip/s1"}):
                print(f"{percent:3} %  router      {await on_air(server, lose, percent)}", flush=True)
        async with media_server() as server, bad_line() as line:
            server.open("s1")

            def lossy(percent: int, line: object = line) -> None:
                line.loss = percent / 100

            host = Publisher(
                f"{server.url}/whip/s1", TOKEN, Microphone().track(), Camera(picture_bytes=PICTURE_BYTES).track(),
                offer=lambda offer: "\r\n".join(one for one in offer.split("\r\n") if "a=candidate:" not in one),
                answer=line.through,
            )  # fmt: skip
            try:
                await host.start()
                print(f"{percent:3} %  tests' line {await on_air(server, lossy, percent)}", flush=True)
            finally:
                await host.leave()


async def black_out() -> None:
    """Nothing at all for a while: the host is away, and back by itself."""
    async with media_server(HERE) as server:
        server.open("s1")
        async with far({"whip": f"{server.url}/whip/s1"}):
            await until(lambda: len(server.fragments(VIDEO)) > 25)
            forward(False)
            await asyncio.sleep(BLACK_OUT_S)
            forward(True)
            back_s = time.monotonic()
            await until(lambda: server.hosts == ["away", "back"])
            print(f"{BLACK_OUT_S} s of nothing: away, and back {time.monotonic() - back_s:.1f} s after the line", flush=True)


async def vanish() -> bool:
    """Who is noticed when; whether in time."""
    house = await House(host=HERE, limits=Limits()).start()
    channel = house.open()
    source = Source(channel)
    source.begin()
    key = house.key.public_key().public_bytes_raw().hex()
    behind = {"name": "far-edge", "key": key, "base": house.base, "ticket": house.ticket("ben", hub="far-edge")}
    async with media_server(HERE) as server:
        server.open("s1")
        server.broadcasts.open("s2", time.time_ns() // 1_000_000)
        away: list[str] = []
        server.broadcasts.on_host = lambda show, host: away.append(f"{show} {host}")
        hosts = {"whip": f"{server.url}/whip/s1", "uplink": f"{server.url}/whip/s2/socket"}
        where = {**hosts, "viewer": house.address(house.ticket("ann"))}
        async with far({**where, "edge": behind}) as process:
            sending = asyncio.create_task(_send(source))
            await until(lambda: set(server.states) == {("s1", "live"), ("s2", "live")})
            await until(lambda: channel.presence.total == 2 and house.hub.tree.hubs())
            gone: dict[str, Callable[[], bool]] = {
                "host by WHIP": lambda: "s1 away" in away,
                "page by WebSocket": lambda: "s2 away" in away,
                "page's socket": lambda: ("s2", "ended") in server.states,
                "viewer": lambda: channel.fanout.with_tag(tag_of(SHOW, "ann")) == 0 and house.hub.connections() == 0,
                "edge, as a show": lambda: channel.fanout.with_tag(tag_of(SHOW, "ben")) == 0,
                "edge, as a link": lambda: not house.hub.tree.hubs(),
            }
            forward(False)
            began_s, took_s = time.monotonic(), dict[str, float]()
            while len(took_s) < len(gone) and time.monotonic() - began_s < 60:
                for name, is_gone in gone.items():
                    if name not in took_s and is_gone():
                        took_s[name] = time.monotonic() - began_s
                await asyncio.sleep(0.01)
            assert process.stdout is not None
            took_s["upstream, by the edge"] = json.loads(await process.stdout.readline())["edge"] - began_s
            sending.cancel()
            print(f"left of the far side: {channel.presence.total} viewers, {len(channel.receivers())} receivers")
    await house.hub.stop()
    late = False
    for name, within_s in NOTICED_WITHIN_S.items():
        print(f"{name:22} {took_s.get(name, float('inf')):5.1f} s, at most {within_s} s", flush=True)
        late |= took_s.get(name, float("inf")) > within_s
    return not late and channel.presence.total == 0


async def _send(source: Source) -> None:
    while True:
        source.send()
        await asyncio.sleep(1 / 30)


async def main() -> int:
    """0 when everyone was noticed in time."""
    with networks():
        await losses()
        await black_out()
        return 0 if await vanish() else 1


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(main()))
