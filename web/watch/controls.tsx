/** What a viewer may do with the picture: sound, captions, how it is played, picture in picture, full screen. */
import { Captions, Maximize, PictureInPicture2, Settings2, Volume2, VolumeX } from "lucide-preact";
import { signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Way } from "../lib/engine";
import { canPlayDirect, type Player } from "../lib/player";
import type { Watching } from "./ctrl";
import { canFillScreen, canFloat, fillScreen, float } from "./frame";
import { say } from "./words";

const open = signal(false);

export function Controls({ watching }: { watching: Watching }) {
  const { player, captions } = watching;
  if (!player) return null;
  return (
    <>
      {player.playing.value && <Sound player={player} />}
      {captions.offered.value && <CaptionsButton watching={watching} />}
      <Menu player={player} />
    </>
  );
}

function Sound({ player }: { player: Player }) {
  const off = player.muted.value;
  return (
    <button type="button" class={off ? "chip sound sound-off" : "chip sound"} onClick={() => (off ? player.unmute() : player.mute())} title={off ? say("unmuteHint") : undefined} data-testid="sound">
      {off ? <VolumeX size={16} aria-hidden="true" /> : <Volume2 size={16} aria-hidden="true" />}
      {say(off ? "unmute" : "mute")}
    </button>
  );
}

function CaptionsButton({ watching }: { watching: Watching }) {
  const { captions } = watching;
  return (
    <button type="button" class={captions.on.value ? "chip chip-on" : "chip"} aria-pressed={captions.on.value} onClick={() => captions.turn(!captions.on.value)} data-testid="captions-switch">
      <Captions size={16} aria-hidden="true" /><span class="viewers-word">{say("captions")}</span>
    </button>
  );
}

function Menu({ player }: { player: Player }) {
  const button = useRef<HTMLButtonElement>(null);
  const close = (): void => { open.value = false; button.current?.focus(); };
  return (
    <span class="how-live menu" onKeyDown={(event) => { if (event.key === "Escape" && open.value) close(); }}>
      <button ref={button} type="button" class="chip" aria-expanded={open.value} title={say("playback")} data-testid="playback" onClick={() => { open.value = !open.value; }}>
        <Settings2 size={16} aria-hidden="true" /><span class="visually-hidden">{say("playback")}</span>
      </button>
      {open.value && (
        <div class="figures-panel playback">
          <Ways player={player} />
          {canFloat() && <button type="button" class="button button-small" data-testid="float" onClick={() => { close(); void float(); }}><PictureInPicture2 size={16} aria-hidden="true" />{say("float")}</button>}
          {canFillScreen() && <button type="button" class="button button-small" data-testid="fill-screen" onClick={() => { close(); void fillScreen(); }}><Maximize size={16} aria-hidden="true" />{say("fillScreen")}</button>}
        </div>
      )}
    </span>
  );
}

function Ways({ player }: { player: Player }) {
  const ways: { way: Way; name: string; note: string }[] = [
    { way: "mse", name: say("wayEven"), note: say("wayEvenNote") },
    { way: "direct", name: say("wayDirect"), note: say(canPlayDirect() ? (player.gaveUp.value ? "wayDirectFailed" : "wayDirectNote") : "wayDirectNot") },
  ];
  return (
    <fieldset class="ways">
      <legend>{say("playback")}</legend>
      {ways.map(({ way, name, note }) => (
        <label key={way}>
          <input type="radio" name="way" checked={player.way.value === way} disabled={way === "direct" && !canPlayDirect()} onChange={() => player.choose(way)} data-testid={`way-${way}`} />
          <span>{name}<small class="muted">{note}</small></span>
        </label>
      ))}
    </fieldset>
  );
}
