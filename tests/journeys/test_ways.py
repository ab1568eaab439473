"""How a viewer may watch: with the lowest delay, with sound, on the full screen; by keyboard, remembered, never dark."""

from __future__ import annotations

from playwright.async_api import expect

from tests.journeys.conftest import Arrive
from tests.journeys.people import PHONE
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

# Chromium without a window hides nothing: the page is told so.
SEEN = """(state) => {
  Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});
  Object.defineProperty(document, 'hidden', {value: state === 'hidden', configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}"""
BEHIND = "Number(document.querySelector('[data-testid=figure-behind]')?.textContent.replace(/\\D/g, ''))"

READ = """({kind, mode, activeCues}) =>
  kind === 'captions' && mode === 'showing' && [...activeCues].some(({text}) => text === 'And it stays so')"""

NO_DECODER = "VideoDecoder.prototype.configure = () => { throw new TypeError('not here') }"


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
    await viewer.page.evaluate(SEEN, "hidden")
    await viewer.holds(f"{BEHIND} > 1500")
    await viewer.page.evaluate(SEEN, "visible")
    await viewer.holds(f"{BEHIND} < 1000")
    await viewer.moves()


async def test_sound_comes_and_goes_without_the_page_losing_its_picture(system: System, arrive: Arrive) -> None:
    """Sound on buffers sound too, sound off lets it go; pictures move on either way."""
    viewer = await arrive()
    await viewer.page.goto(f"/watch/{system.demo_show()['id']}")
    await viewer.moves()
    sound = viewer.page.get_by_test_id("sound")
    for muted in ("false", "true"):
        await sound.click()
        await viewer.holds(f"{VIDEO}.muted === {muted} && {VIDEO}.readyState >= 3")
        await viewer.moves()


async def test_the_picture_fills_the_screen_and_floats(system: System, arrive: Arrive) -> None:
    """The menu's two buttons do what they say; Escape of the menu gives the focus back to its button."""
    viewer = await arrive()
    await viewer.page.goto(f"/watch/{system.demo_show()['id']}")
    await viewer.moves()
    menu = viewer.page.get_by_test_id("playback")
    await menu.click()
    await viewer.page.keyboard.press("Escape")
    assert await viewer.page.evaluate("document.activeElement.dataset.testid") == "playback"
    await menu.click()
    await viewer.page.get_by_test_id("fill-screen").click()
    await viewer.holds("document.fullscreenElement?.classList.contains('picture')")
    await viewer.page.evaluate("document.exitFullscreen()")


async def test_where_no_websocket_gets_through_the_picture_comes_by_playlist(system: System, arrive: Arrive) -> None:
    """A proxy that ends every socket: after a few tries the page plays the show's HLS, and says that it does."""
    viewer = await arrive()
    await viewer.page.route_web_socket("**/v1/shows/**", lambda socket: socket.close(code=3000))
    await viewer.page.goto(f"/watch/{system.demo_show()['id']}")
    await viewer.moves()
    await viewer.page.get_by_test_id("how-live").click()
    await expect(viewer.page.get_by_test_id("figure-way")).to_have_text("HLS")
    await viewer.moves()


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
