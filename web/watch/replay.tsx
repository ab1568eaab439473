/** After the show: its recording with a chapter for each pin, when there is one. */
import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../lib/api";
import { lasting } from "../lib/format";
import type { Show } from "../lib/shapes";
import { say } from "./words";

interface Chapter { at_ms: number; title: string; offer?: string }
interface Recording { url: string; chapters?: Chapter[] }

export function Replay({ show }: { show: Show }) {
  const [recording, setRecording] = useState<Recording | null>(null);
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => { void get<Recording>(`/shows/${show.id}/replay`).then(setRecording, () => setRecording(null)); }, [show.id]);
  const jump = (chapter: Chapter): void => {
    if (!video.current) return;
    video.current.currentTime = chapter.at_ms / 1000;
    void video.current.play();
  };
  if (!recording?.url) {
    return (
      <div class="said" role="status">
        <h2>{say("endedTitle")}</h2><p>{say("endedNote")}</p>
        <a class="button" href="/">{say("moreShows")}</a>
      </div>
    );
  }
  return (
    <div class="replay">
      <video ref={video} src={recording.url} controls playsInline aria-label={say("replay")} />
      {recording.chapters && recording.chapters.length > 0 && (
        <nav class="replay-chapters" aria-label={say("chapters")}>
          {recording.chapters.map((chapter) => (
            <button type="button" class="chip" key={chapter.at_ms} onClick={() => jump(chapter)}>
              <span class="figures">{lasting(chapter.at_ms)}</span>{chapter.title}
            </button>
          ))}
        </nav>
      )}
    </div>
  );
}
