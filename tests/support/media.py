"""A small media server for tests: real WHIP routes, and bare pages that publish and play."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from livesale.media.broadcasts import Broadcasts
from livesale.media.ring import Fragment, Init, Item, Ring
from livesale.media.uplink_door import uplink_routes
from livesale.media.whip import whip_routes

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
]
TOKEN = "whip-token"

PUBLISH_PAGE = """<!doctype html><title>host</title><script>
window.publish = async (url, camera = true) => {
  const media = await navigator.mediaDevices.getUserMedia(
    {audio: true, video: camera && {width: 1280, height: 720, frameRate: 30}});
  const peer = window.peer = new RTCPeerConnection();
  for (const track of media.getTracks())
    peer.addTransceiver(track, {direction: 'sendonly', streams: [media]});
  await peer.setLocalDescription();
  const answer = await fetch(url, {method: 'POST', body: peer.localDescription.sdp,
    headers: {'content-type': 'application/sdp', authorization: 'Bearer TOKEN'}});
  if (answer.status != 201) throw new Error(await answer.text());
  await peer.setRemoteDescription({type: 'answer', sdp: await answer.text()});
  window.location_of_session = answer.headers.get('location');
  return answer.status;
};
window.turnUpright = async () => {
  const canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
  [canvas.width, canvas.height] = [360, 640];
  setInterval(() => { pen.fillStyle = `hsl(${performance.now() / 10} 80% 50%)`; pen.fillRect(0, 0, 360, 640); }, 33);
  await peer.getSenders().find(one => one.track.kind == 'video').replaceTrack(canvas.captureStream(30).getVideoTracks()[0]);
};
</script>""".replace("TOKEN", TOKEN)

PLAY_PAGE = """<!doctype html><title>viewer</title><video muted playsinline></video><canvas></canvas><script>
const video = document.querySelector('video'), source = new MediaSource(), tracks = {}, inits = {};
window.log = []; window.jumps = 0; window.target = .25;
video.src = URL.createObjectURL(source);
const open = new Promise(done => source.addEventListener('sourceopen', done, {once: true}));
const pump = track => {
  const {buffer, queue} = track;
  if (!buffer || buffer.updating || !queue.length) return;
  const item = queue.shift();
  if (item.type && item.type != track.type) { buffer.changeType(item.type); track.type = item.type; }
  buffer.appendBuffer(item.data);
};
const add = (number, item) => {
  const track = tracks[number] ??= {queue: []};
  track.queue.push(item);
  if (!track.buffer && item.type && Object.keys(tracks).length == 2) start();
  pump(track);
};
const start = async () => {
  await open;
  for (const track of Object.values(tracks)) {
    track.type = track.queue[0].type;
    track.buffer = source.addSourceBuffer(track.type);
    track.buffer.addEventListener('updateend', () => pump(track));
    track.buffer.addEventListener('error', () => log.push('append error ' + track.type));
    pump(track);
  }
  video.play().catch(error => log.push('play ' + error));
};
const socket = new WebSocket(location.origin.replace('http', 'ws') + location.pathname.replace('play', 'ws'));
socket.binaryType = 'arraybuffer';
socket.onmessage = event => {
  const view = new DataView(event.data);
  if (view.getUint8(0) == 2) {
    const size = view.getUint8(4), bytes = new Uint8Array(event.data);
    const type = new TextDecoder().decode(bytes.subarray(5, 5 + size));
    return add(view.getUint8(1), {type, data: bytes.slice(5 + size)});
  }
  for (let at = 1; at < view.byteLength;) {
    const size = view.getUint32(at + 16);
    add(view.getUint8(at), {data: new Uint8Array(event.data, at + 20, size)});
    at += 20 + size;
  }
};
setInterval(() => {
  const ranges = video.buffered;
  if (!ranges.length) return;
  const end = ranges.end(ranges.length - 1);
  let inside = false;
  for (let i = 0; i < ranges.length; i++)
    inside ||= video.currentTime >= ranges.start(i) - .01 && video.currentTime < ranges.end(i) - .02;
  if (!inside && video.currentTime < end || end - video.currentTime > 2) {
    video.currentTime = Math.max(ranges.start(ranges.length - 1), end - .1); jumps++;
  } else video.playbackRate = end - video.currentTime > target + .05 ? 1.1 : 1;
}, 50);
window.picture = () => {
  const canvas = document.querySelector('canvas');
  canvas.width = 160; canvas.height = 90;
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  pen.drawImage(video, 0, 0, 160, 90);
  return Array.from(pen.getImageData(0, 0, 160, 90).data);
};
window.playback = () => ({
  time: video.currentTime, width: video.videoWidth, height: video.videoHeight, jumps, log,
  ranges: Array.from({length: video.buffered.length},
    (_, i) => [video.buffered.start(i), video.buffered.end(i)]),
  pictures: video.getVideoPlaybackQuality().totalVideoFrames,
  dropped: video.getVideoPlaybackQuality().droppedVideoFrames, error: video.error && video.error.message,
});
</script>"""


def wire(item: Item) -> bytes:
    """A ring's item as the hub's frame (contract section 3)."""
    if isinstance(item, Init):
        kind = item.mse_type.encode()
        return struct.pack(">BBHB", 2, item.track, item.generation, len(kind)) + kind + item.data
    return b"\x03" + b"".join(_wire_fragment(fragment) for fragment in item)


def _wire_fragment(one: Fragment) -> bytes:
    head = struct.pack(
        ">BBHIQI", one.track, one.key, one.generation, one.sequence, one.time_us, len(one.data)
    )
    return head + one.data


class MediaServer:
    """`url` is its address; `items` everything the show's ring has made; `states` and `hosts` what was told."""

    def __init__(self, **options: Any) -> None:
        self.states: list[tuple[str, str]] = []
        self.hosts: list[str] = []
        self.items: list[Item] = []
        self.broadcasts = Broadcasts(lambda show, state: self.states.append((show, state)), **options)
        self.broadcasts.on_host = lambda show, host: self.hosts.append(host)
        self.url = ""

    def open(self, show: str) -> None:
        """Puts a show on air as if it began 5 s ago."""
        ring = self.broadcasts.open(show, time.time_ns() // 1_000_000 - 5_000)
        ring.subscribe(self.items.append)

    def ring(self, show: str) -> Ring:
        """The ring of an open show."""
        ring = self.broadcasts.ring(show)
        assert ring is not None
        return ring

    def inits(self, track: int) -> list[Init]:
        """The inits of a track so far."""
        return [item for item in self.items if isinstance(item, Init) and item.track == track]

    def fragments(self, track: int) -> list[Fragment]:
        """The fragments of a track so far."""
        batches = [item for item in self.items if isinstance(item, list)]
        return [fragment for batch in batches for fragment in batch if fragment.track == track]

    def application(self) -> web.Application:
        """WHIP at /whip/{show}, the host's page at /host, the viewer's at /play/{show}."""
        application = web.Application()
        application.add_routes(whip_routes(self.broadcasts, lambda show, token: token == TOKEN))
        application.add_routes(uplink_routes(self.broadcasts, lambda show, token: token == TOKEN))
        application.router.add_get("/host", _page(PUBLISH_PAGE))
        application.router.add_get("/play/{show}", _page(PLAY_PAGE))
        application.router.add_get("/ws/{show}", self._follow)
        return application

    async def _follow(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        ring = self.ring(request.match_info["show"])
        queue: asyncio.Queue[Item] = asyncio.Queue()
        inits, fragments = ring.snapshot()
        for item in (*inits, *([fragments] if fragments else [])):
            queue.put_nowait(item)
        unsubscribe = ring.subscribe(queue.put_nowait)
        try:
            while not socket.closed:
                await socket.send_bytes(wire(await queue.get()))
        except ConnectionError:
            pass
        finally:
            unsubscribe()
        return socket


def _page(text: str) -> Any:
    async def page(request: web.Request) -> web.Response:
        return web.Response(text=text, content_type="text/html")

    return page


@asynccontextmanager
async def media_server(host: str = "127.0.0.1", **options: Any) -> AsyncIterator[MediaServer]:
    """A MediaServer that listens."""
    server = MediaServer(**options)
    runner = web.AppRunner(server.application(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    server.url = f"http://{host}:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await server.broadcasts.close_all()
        await runner.cleanup()


async def until(condition: Any, within_s: float = 20.0) -> None:
    """Waits until `condition()` holds, of whatever process; TimeoutError otherwise."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.02)
