/** The whole of a recording as a bar: chapters where they lie, a look at any place before going there; by mouse, finger and keys. */
import type { ReadonlySignal } from "@preact/signals";
import { useState } from "preact/hooks";
import { lasting } from "../lib/format";
import type { Chapter, Replay } from "../lib/shapes";
import { chapterAt, markOf, placeByKey, thumbnailAt } from "./replaying";
import { say } from "./words";

const THUMB_PX = 16; // of the range, as watch.css draws it: its middle goes from 8 px to 8 px before the end

interface SeekBarProps { recording: Replay; place: ReadonlySignal<number>; go: (timeS: number) => void }

export function SeekBar({ recording, place, go }: SeekBarProps) {
  const timeS = place.value;
  const [looksAt, look] = useState<number | null>(null);
  const { chapters, duration_s } = recording;
  const goTo = (placeS: number): void => { look(placeS); go(placeS); };
  return (
    <div class="seek">
      <div class="seek-chapters" aria-hidden="true">{chapters.map((each, index) => <i key={index} data-kind={each.kind} style={share(markOf(each, duration_s))} />)}</div>
      <input
        type="range" min={0} max={duration_s} step="any" value={timeS} data-testid="seek"
        aria-label={say("seek")} aria-valuetext={toldOf(recording, looksAt ?? timeS)}
        onInput={(event) => goTo(event.currentTarget.valueAsNumber)}
        onPointerMove={(event) => look(placeUnder(event, duration_s))}
        onPointerLeave={() => look(null)} onPointerCancel={() => look(null)} onBlur={() => look(null)}
        onPointerUp={(event) => { if (event.pointerType !== "mouse") look(null); }}
        onKeyDown={(event) => {
          const placeS = placeByKey(event.key, place.peek(), recording); // two keys may come between two drawings
          if (placeS === null) return;
          event.preventDefault();
          goTo(placeS);
        }}
      />
      {looksAt !== null && <Look recording={recording} timeS={looksAt} />}
    </div>
  );
}

function Look({ recording, timeS }: { recording: Replay; timeS: number }) {
  const picture = thumbnailAt(recording.thumbnails, timeS);
  const middle = `${(100 * timeS) / Math.max(recording.duration_s, 1)}%`;
  return (
    <div class="seek-look" data-testid="seek-look" aria-hidden="true" style={{ left: `clamp(88px, ${middle}, calc(100% - 88px))` }}>
      {picture && <img src={picture.url} alt="" />}
      <span class="figures">{toldOf(recording, timeS)}</span>
    </div>
  );
}

/** "2:13, Copper pan". */
function toldOf({ chapters }: { chapters: Chapter[] }, timeS: number): string {
  return [lasting(Math.floor(timeS) * 1000), chapters[chapterAt(chapters, timeS)]?.title].filter(Boolean).join(", ");
}

function placeUnder(event: PointerEvent, durationS: number): number {
  const { left, width } = (event.currentTarget as HTMLElement).getBoundingClientRect();
  const along = (event.clientX - left - THUMB_PX / 2) / Math.max(width - THUMB_PX, 1);
  return durationS * Math.min(1, Math.max(0, along));
}

const share = ({ left, width }: { left: number; width: number }) => ({ left: `${100 * left}%`, width: `${100 * width}%` });
