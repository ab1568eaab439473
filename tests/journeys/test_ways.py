"""How a viewer may watch: with the lowest delay, with sound, on the full screen; by keyboard, remembered, never dark."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.journeys.conftest import Arrive
from tests.journeys.people import PHONE, Person
from tests.support.media import CHROMIUM, CHROMIUM_ARGS
from tests.support.system import System

VIDEO = "document.querySelector('[data-testid=player]')"

# What a loudspeaker would get from the page's own decoder, for a test that has no ears.
LISTEN = """(() => {
  const {connect} = AudioNode.prototype;
  AudioWorkletNode.prototype.connect = function (...to) {
    const ear = window.ear = new AnalyserNode(this.context);
    connect.call(this, ear);
    return connect.apply(this, to);
  };
  window.loudness = () => {
    if (!window.ear) return 0;
    const samples = new Float32Array(ear.fftSize);
    ear.getFloatTimeDomainData(samples);
    return Math.max(...samples.map(Math.abs));
  };
})()"""

BEHIND = "Number(document.querySelector('[data-testid=figure-behind]')?.textContent.replace(/\\D/g, ''))"

READ = """({kind, mode, activeCues}) =>
  kind === 'captions' && mode === 'showing' && [...activeCues].some(({text}) => text === 'And it stays so')"""

# An iPhone's: no other, and it opens only where the element plays nowhere else.
MANAGED = """(() => {
  const Source = window.MediaSource, made = new Set(), {createObjectURL} = URL;
  delete window.MediaSource;
  window.managed = 0;
  window.ManagedMediaSource = class extends Source { get streaming() { return true; } };
  URL.createObjectURL = (source) => { const url = createObjectURL(source); made.add(url); return url; };
  const {get, set} = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'src');
  Object.defineProperty(HTMLMediaElement.prototype, 'src', {get, set(url) {
    if (made.has(url) && !this.disableRemotePlayback) return;
    managed += made.has(url);
    set.call(this, url);
  }});
})()"""

# Whatever Playwright evaluates counts as a hand on the page: these two go by trusted events, and by what a page does alone.
NO_AUTOPLAY = """(() => {
  const {play} = HTMLMediaElement.prototype;
  let pressed = false;
  addEventListener('pointerdown', ({isTrusted}) => { pressed ||= isTrusted; }, true);
  HTMLMediaElement.prototype.play = function () {
    return pressed ? play.call(this) : Promise.reject(new DOMException('', 'NotAllowedError'));
  };
})()"""
SOUND_BY_ITSELF = """(() => {
  const {play} = HTMLMediaElement.prototype;
  let refused = 0;
  HTMLMediaElement.prototype.play = function () {
    const answer = play.call(this);
    answer.catch(({name}) => { refused += name === 'NotAllowedError'; });
    return answer;
  };
  const video = () => document.querySelector('[data-testid=player]'), button = () => document.querySelector('[data-testid=sound]');
  const step = (when, act) => { const timer = setInterval(() => { if (when()) { clearInterval(timer); act(); } }, 20); };
  step(() => button() && video().currentTime > 0, () => {
    button().click();
    step(() => refused && video().muted && !video().paused && video().readyState >= 3, () => console.log('plays on, muted'));
  });
})()"""

NO_DECODER = "VideoDecoder.prototype.configure = () => { throw new TypeError('not here') }"


@pytest.fixture
async def strict() -> AsyncIterator[Browser]:
    """Chromium as people have it: nothing sounds before they have touched the page."""
    args = [each for each in CHROMIUM_ARGS if "autoplay" not in each]
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        yield launched
        await launched.close()


async def test_the_lowest_delay_is_chosen_by_keyboard_and_remembered(system: System, arrive: Arrive) -> None:
    """Menu, arrow key, Escape: the picture goes on by decoders of its own, with sound, also when the page comes again."""
    viewer = await arrive(viewport=PHONE, locale="de-DE")
    await viewer.page.add_init_script(LISTEN)
    await viewer.page.goto(f"/watch/{system.demo_show()['id']}")
    await viewer.moves()
    await viewer.page.get_by_test_id("playback").focus()
    await viewer.page.keyboard.press("Enter")
    await viewer.shoot("ways")
    await viewer.page.get_by_test_id("way-mse").focus()
    await viewer.page.keyboard.press("ArrowDown")
    await viewer.page.keyboard.press("Escape")
    await expect(viewer.page.get_by_test_id("way-direct")).to_have_count(0)
    await viewer.holds(f"{VIDEO}.srcObject !== null")
    await viewer.moves()
    await viewer.page.get_by_test_id("sound").click()
    await viewer.holds("loudness() > 0.001")
    await viewer.page.reload()
    await viewer.holds(f"{VIDEO}?.srcObject != null")
    await viewer.moves()


async def test_without_a_decoder_the_picture_comes_all_the_same(system: System, arrive: Arrive) -> None:
    """A browser whose decoder does not take the stream plays the buffered way, and the menu says why."""
    viewer = await arrive()
    await viewer.page.add_init_script(NO_DECODER)
    await viewer.page.add_init_script("localStorage.setItem('livesale.way', 'direct')")
    await viewer.page.goto(f"/watch/{system.demo_show()['id']}")
    await viewer.moves()
    assert await viewer.page.evaluate(f"{VIDEO}.srcObject") is None
    await viewer.page.get_by_test_id("playback").click()
    await expect(viewer.page.get_by_test_id("way-mse")).to_be_checked()
    await expect(viewer.page.get_by_text("Did not work with this picture.")).to_be_visible()


async def test_without_a_codec_the_page_says_so(system: System, arrive: Arrive) -> None:
    """A browser that has no H.264 at all is told; every offer can still be bought."""
    viewer = await arrive()
    await viewer.page.add_init_script("MediaSource.isTypeSupported = () => false")
    await viewer.page.goto(f"/watch/{system.demo_show()['id']}")
    await expect(viewer.page.get_by_role("heading", name="No decoder for this picture")).to_be_visible()
    await expect(viewer.page.get_by_test_id("buy")).to_be_visible()


async def test_a_tab_in_the_background_decodes_nothing_and_is_live_when_it_comes_back(
    system: System, arrive: Arrive
) -> None:
    """With the lowest delay a hidden page falls behind without decoding; seen again, it goes on at the newest picture."""
    viewer = await arrive()
    await viewer.page.add_init_script("localStorage.setItem('livesale.way', 'direct')")
    await viewer.page.goto(f"/watch/{system.demo_show()['id']}")
    await viewer.moves()
    await viewer.page.get_by_test_id("how-live").click()
    await viewer.is_told("hidden")
    await viewer.holds(f"{BEHIND} > 1500")
    await viewer.is_told("visible")
    await viewer.holds(f"{BEHIND} < 1000")
    await viewer.moves()


async def test_sound_comes_and_goes_without_the_page_losing_its_picture(system: System, arrive: Arrive) -> None:
    """Sound on buffers sound too, sound off lets it go; pictures move on either way, with no hole between them and live."""
    viewer = await arrive()
    await viewer.page.goto(f"/watch/{system.demo_show()['id']}")
    await viewer.moves()
    sound = viewer.page.get_by_test_id("sound")
    for muted in ("false", "true"):
        await sound.click()
        await viewer.holds(f"{VIDEO}.muted === {muted} && {VIDEO}.readyState >= 3")
        await viewer.moves()
        await viewer.holds(f"{VIDEO}.buffered.start({VIDEO}.buffered.length - 1) <= {VIDEO}.currentTime")


async def test_the_picture_fills_the_screen_and_floats(system: System, arrive: Arrive) -> None:
    """The menu's two buttons do what they say; Escape of the menu gives the focus back to its button."""
    viewer = await arrive()
    await viewer.page.goto(f"/watch/{system.demo_show()['id']}")
    await viewer.moves()
    menu = viewer.page.get_by_test_id("playback")
    await menu.click()
    await viewer.page.keyboard.press("Escape")
    await expect(menu).to_be_focused()
    await menu.click()
    await viewer.page.get_by_test_id("fill-screen").click()
    await viewer.holds("document.fullscreenElement?.classList.contains('picture')")
    await viewer.page.evaluate("document.exitFullscreen()")
    for floats in ("true", "false"):
        await menu.click()
        await viewer.page.get_by_test_id("float").click()
        await viewer.holds(f"(document.pictureInPictureElement === {VIDEO}) === {floats}")
        await viewer.moves()


async def test_where_no_websocket_gets_through_the_picture_comes_by_playlist(system: System, arrive: Arrive) -> None:
    """A proxy that ends every socket: after a few tries the page plays the show's HLS, and says that it does."""
    viewer = await arrive()
    await viewer.page.route_web_socket("**/v1/shows/**", lambda socket: socket.close(code=3000))
    await viewer.page.goto(f"/watch/{system.demo_show()['id']}")
    await viewer.moves()
    await viewer.page.get_by_test_id("how-live").click()
    await expect(viewer.page.get_by_test_id("figure-way")).to_have_text("HLS")
    await viewer.moves()


async def test_an_iphone_s_managed_media_source_is_enough(system: System, arrive: Arrive) -> None:
    """Where there is only a ManagedMediaSource (which opens for no element that might play elsewhere) the picture moves."""
    viewer = await arrive()
    await viewer.page.add_init_script(MANAGED)
    await viewer.page.goto(f"/watch/{system.demo_show()['id']}")
    await viewer.moves()
    assert await viewer.page.evaluate("typeof MediaSource === 'undefined' && managed > 0")


async def test_a_browser_with_hls_alone_plays_it_by_itself(system: System, arrive: Arrive) -> None:
    """Without any MediaSource the show's playlist plays in the browser's own player."""
    viewer = await arrive()
    fetched: list[str] = []
    viewer.page.on("request", lambda request: fetched.append(request.url))
    await viewer.page.add_init_script("delete window.MediaSource; delete window.WebKitMediaSource;")
    await viewer.page.goto(f"/watch/{system.demo_show()['id']}")
    await viewer.moves()
    assert await viewer.page.evaluate(f"new URL({VIDEO}.src).pathname.endsWith('.m3u8')")
    await expect(viewer.page.get_by_test_id("pin-card")).to_be_visible()
    assert any(url.endswith(".m3u8") for url in fetched)


async def test_a_browser_that_wants_a_press_first_gets_one(system: System, arrive: Arrive) -> None:
    """Where not even muted pictures may move by themselves, one press starts them; the page says so meanwhile."""
    viewer = await arrive(viewport=PHONE)
    await viewer.page.add_init_script(NO_AUTOPLAY)
    await viewer.page.goto(f"/watch/{system.demo_show()['id']}")
    press = viewer.page.get_by_test_id("press-play")
    await expect(press).to_be_visible()
    await viewer.shoot("press-play")
    await press.click()
    await viewer.moves()
    await expect(press).to_have_count(0)


async def test_a_browser_s_own_rule_for_sound(system: System, strict: Browser) -> None:
    """By Chromium's default rule a stranger's page plays muted; a refused sound leaves the picture running, a press turns it on."""
    viewer = await Person.arrive(strict, system)
    await viewer.page.add_init_script(SOUND_BY_ITSELF)
    async with viewer.page.expect_console_message(lambda message: message.text == "plays on, muted"):
        await viewer.page.goto(f"/watch/{system.demo_show()['id']}")
    sound = viewer.page.get_by_test_id("sound")
    await expect(sound).to_have_text("Sound on")
    await viewer.moves()
    await sound.click()
    await viewer.holds(f"!{VIDEO}.muted && !{VIDEO}.paused")
    await viewer.moves()
    assert not viewer.troubles


async def test_what_the_host_types_is_read_on_the_picture(system: System, arrive: Arrive) -> None:
    """From the studio's field to the viewer who turned captions on, as a cue of the picture's own track; who did not is
    offered them."""
    show = system.demo_show()
    host = await arrive("host", f"/studio/{show['id']}")
    viewer = await arrive(viewport=PHONE)
    await viewer.page.goto(f"/watch/{show['id']}")
    await viewer.moves()
    field = host.page.get_by_test_id("caption-input")
    await field.fill("Sharp as ever")
    await field.press("Enter")
    await expect(field).to_have_value("")
    await viewer.page.get_by_test_id("captions-switch").click()
    await field.fill("And it stays so")
    await field.press("Enter")
    await viewer.holds(f"[...{VIDEO}.textTracks].some({READ})")
    await viewer.shoot("captions")
