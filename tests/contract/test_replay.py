"""HLS and replays of the running system, as any player outside reads them."""

from __future__ import annotations

import re
import time
from typing import Any

import av

from livesale.media.programme import Format, Programme
from tests.support.pictures import moving_bar
from tests.support.system import System, until

SMALL = Format(width=320, height=180)


def lines(system: System, address: str) -> list[str]:
    answer = system.anyone.get(f"/{address}")
    assert answer.status == 200, answer.body
    return str(answer.body.decode()).splitlines()


def test_hls_is_for_any_player_and_any_cache(system: System) -> None:
    """Playlists for two seconds, media for ever, both for every origin; a blocking reload is answered with its part."""
    show = system.demo_show()
    base = show["hls"].removesuffix("index.m3u8")
    until(lambda: system.anyone.get(f"/{show['hls']}").status == 200, "a picture")
    assert "live.m3u8" in lines(system, show["hls"])
    told = lines(system, f"{base}live.m3u8")
    hint = next(line for line in told if "PRELOAD-HINT" in line)
    number, part = re.findall(r"-(\d+)\.(\d+)\.m4s", hint)[0]
    blocked = system.anyone.get(f"/{base}live.m3u8?_HLS_msn={number}&_HLS_part={part}")
    assert re.search(rf'EXT-X-PART:.*-{number}\.{part}\.m4s"', blocked.body.decode())
    media = re.findall(r'EXT-X-PART:.*URI="([^"]+)"', "\n".join(told))[0]
    for address, cache in (("live.m3u8", "max-age=2"), (media, "immutable")):
        answer = system.anyone.get(f"/{base}{address}")
        assert cache in answer.headers["cache-control"]
        assert answer.headers["access-control-allow-origin"] == "*"
    apple = {"User-Agent": "AppleCoreMedia/1.0.0.21A329 (iPhone; U; CPU OS 17_0 like Mac OS X; de_de)"}
    assert b"aac.m3u8" in system.anyone.get(f"/{show['hls']}", headers=apple).body
    assert system.anyone.get(f"/{base}live.m3u8?_HLS_part=1").status == 400
    assert system.anyone.get(f"/{base}nothing.m4s").status == 404
    assert system.anyone.get("//hls/nobody/index.m3u8").status == 404


def test_a_replay_tells_what_was_on_air_when(system: System) -> None:
    """After its end a show can be watched: one file and HLS, pins and deals as chapters, today's prices, ranges."""
    made = system.new_show("To be seen again", {"quantity": 3}, {"quantity": 2})
    host, path = system.api("host"), f"/shows/{made['id']}"
    first, second = (offer["id"] for offer in made["offers"])
    refused = system.anyone.get(f"{path}/replay")
    assert (refused.status, refused.code) == (409, "conflict")
    system.anyone.did("POST", f"{path}/ticket")
    sender = Programme(made["whip"]["url"], made["whip"]["token"], moving_bar, form=SMALL)
    try:
        until(lambda: system.anyone.get(f"/{made['hls']}").status == 200, "the show's HLS")
        host.did("PUT", f"{path}/pins", {"offers": [first]})
        deal = {"offer": first, "price": {"amount": 1, "currency": "EUR"}, "duration_s": 30}
        host.did("POST", f"{path}/deals", deal)
        said = host.did("POST", f"{path}/captions", {"text": "Look at this pan", "lang": "en"})
        time_of_pin = time.monotonic()
        until(lambda: time.monotonic() - time_of_pin > 2, "two seconds of the first pin")
        host.did("PUT", f"{path}/pins", {"offers": [second]})
        until(lambda: time.monotonic() - time_of_pin > 3.5, "a second and a half of the other")
    finally:
        sender.stop()
    host.did("POST", f"{path}/end")
    replay: dict[str, Any] = until(lambda: seen(system, f"{path}/replay"), "the replay")
    pins = [chapter for chapter in replay["chapters"] if chapter["kind"] == "pin"]
    assert [chapter["offer"] for chapter in pins] == [first, second]
    assert 1 < pins[0]["until_s"] - pins[0]["at_s"] < replay["duration_s"]
    assert pins[0]["until_s"] == pins[1]["at_s"]
    assert [(each["offer"], each["expired"]) for each in replay["chapters"] if each["kind"] == "deal"] == [(first, True)]
    assert [each["pins"] for each in replay["events"] if each["type"] == "pins"] == [[first], [second]]
    chapters = system.anyone.get(f"/{replay['chapters_vtt']}")
    assert chapters.body.decode().count("-->") == len(replay["chapters"]) == 3
    assert [each["lang"] for each in replay["captions"]] == ["en"]
    spoken = system.anyone.get(f"/{replay['captions'][0]['url']}")
    assert b"Look at this pan" in spoken.body
    assert said["ends_ms"] - said["begins_ms"] == 2000
    assert replay["thumbnails"][0]["at_s"] == 0
    for picture in (replay["poster"], replay["thumbnails"][0]["url"]):
        assert system.anyone.get(f"/{picture}").headers["content-type"] == "image/jpeg"
    assert [offer["today"]["price"] == offer["price"] for offer in replay["offers"]] == [True, True]

    buyer = system.api("adult")
    wish = {"offer": replay["offers"][0]["today"]["offer"], "quantity": 1, "price": replay["offers"][0]["today"]["price"]}
    order = buyer.did("POST", "/shops/demo/orders", {"lines": [wish], "ref": f"replay:{made['id']}"})
    assert order["state"] == "held"
    paid = buyer.check_out(order)
    assert paid.status == 200, paid.body
    until(lambda: buyer.did("GET", f"/orders/{order['id']}")["state"] == "paid", "the order to be paid")

    ranged = system.anyone.get(f"/{replay['mp4']}", headers={"Range": "bytes=0-99"})
    assert (ranged.status, len(ranged.body), ranged.headers["accept-ranges"]) == (206, 100, "bytes")
    for address in (replay["mp4"], replay["hls"]):
        with av.open(system.url + address) as file:
            opening, *_, last = file.decode(video=0)  # not their number: a slow machine skips some
        assert abs(last.time - opening.time - replay["duration_s"]) < 1
    with av.open(system.url + replay["hls"], options={"user_agent": "AppleCoreMedia/1.0 (iPhone)"}) as file:
        assert [stream.codec_context.name for stream in file.streams] == ["h264", "aac"]
        sound_s = sum(frame.samples for frame in file.decode(audio=0)) / 48_000
    assert abs(sound_s - replay["duration_s"]) < 1
    assert system.anyone.get(f"//replay/{made['id']}/index.json").status == 404


def seen(system: System, path: str) -> dict[str, Any] | None:
    answer = system.anyone.get(path)
    assert answer.status in (200, 404, 409), answer.body
    return answer.body if answer.status == 200 else None
