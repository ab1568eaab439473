/** Small views that more than one page shows: product picture, rolling figure, timer ring, states, notices. */
import { CircleAlert, Clock3, RotateCw, ShieldCheck, type LucideIcon } from "lucide-preact";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { tickingNow } from "./clock";
import { isoTime, lasting } from "./format";
import { toMs } from "./time";
import type { Time } from "./shapes";
import { sorryFor } from "./sorry";
import { say } from "./words";

const RING_RADIUS = 28;
const RING_LENGTH = 2 * Math.PI * RING_RADIUS;
const SLOW_AFTER_MS = 3000;

export function ProductPicture({ image, title }: { image: string | null | undefined; title: string }) {
  const [failed, setFailed] = useState<string | null>(null);
  const shown = image && image !== failed ? image : null;
  return (
    <div class="product-picture">
      {shown
        ? <img src={shown} alt="" loading="lazy" decoding="async" onError={() => setFailed(shown)} />
        : <div class="product-letter" aria-hidden="true"><span>{title.trim().charAt(0).toUpperCase()}</span></div>}
    </div>
  );
}

/** A change of the text rolls in; it does not flash. */
export function Roll({ children }: { children: string }) {
  return <span class="roll figures"><span key={children}>{children}</span></span>;
}

/** Time left on the server's clock, as a ring that empties. */
export function TimerRing({ from, until, label }: { from: number; until: Time; label: string }) {
  const end = toMs(until) ?? 0;
  const left = Math.max(0, end - tickingNow());
  const share = end > from ? Math.min(1, left / (end - from)) : 0;
  return (
    <span class="ring" role="timer" aria-label={label}>
      <svg viewBox="0 0 64 64" aria-hidden="true">
        <circle class="ring-track" cx="32" cy="32" r={RING_RADIUS} />
        <circle class="ring-left" cx="32" cy="32" r={RING_RADIUS} stroke-dasharray={RING_LENGTH} stroke-dashoffset={RING_LENGTH * (1 - share)} />
      </svg>
      <span>{lasting(left)}</span>
    </span>
  );
}

export function TimeOf({ time, children, testid }: { time: Time | null | undefined; children: ComponentChildren; testid?: string }) {
  return <time dateTime={isoTime(time)} data-testid={testid}>{children}</time>;
}

export function Empty({ icon: Sign, title, children }: { icon: LucideIcon; title: string; children?: ComponentChildren }) {
  return <div class="state"><Sign size={36} aria-hidden="true" /><h2>{title}</h2>{children}</div>;
}

export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  return (
    <div class="state" role="alert">
      <CircleAlert size={36} aria-hidden="true" />
      <h2>{say("cannotTitle")}</h2>
      <p>{sorryFor(error)}</p>
      {retry && <button type="button" class="button" onClick={retry}><RotateCw size={16} aria-hidden="true" />{say("retry")}</button>}
    </div>
  );
}

/** Bones of the coming content; after three seconds it says that it is still trying. */
export function Loading({ heights }: { heights: string[] }) {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), SLOW_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="stack" aria-busy="true">
      <span class="visually-hidden" role="status">{say("loading")}</span>
      {slow && <p class="small muted" role="status">{say("slow")}</p>}
      {heights.map((height, index) => <div key={index} class="bones" style={{ height }} />)}
    </div>
  );
}

type Tone = "plain" | "calm" | "wait" | "fault";
const SIGNS: Record<Tone, LucideIcon> = { plain: CircleAlert, calm: ShieldCheck, wait: Clock3, fault: CircleAlert };

export function Notice({ tone = "plain", title, children }: { tone?: Tone; title?: string; children?: ComponentChildren }) {
  const Sign = SIGNS[tone];
  return (
    <div class={`notice notice-${tone}`} role={tone === "fault" ? "alert" : "status"}>
      <Sign size={20} aria-hidden="true" />
      <div>{title && <strong>{title}</strong>}{children}</div>
    </div>
  );
}

interface SaidProps { title: string; children?: ComponentChildren; action?: ComponentChildren; small?: boolean; breathing?: boolean }

/** What is said in place of a picture. */
export function Said({ title, children, action, small, breathing }: SaidProps) {
  if (small) return <p class="said-small chip" role="status">{children}</p>;
  return (
    <div class="said" role="status">
      {breathing && <span class="said-bars" aria-hidden="true"><i /><i /><i /><i /></span>}
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}
