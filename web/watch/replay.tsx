/** After the show: its recording, a chapter for each pin, the card that was on air then, and what it costs today. */
import { History, Zap } from "lucide-preact";
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../lib/api";
import { dayAndTime, lasting, money } from "../lib/format";
import { ProductPicture, Said } from "../lib/pieces";
import { calm } from "../lib/session";
import type { Chapter, Replay, Sold, Today } from "../lib/shapes";
import type { Watching } from "./ctrl";
import { Quantity } from "./quantity";
import { chapterAt, dealAt, pinsAt } from "./replaying";
import { SeekBar } from "./seekbar";
import { say } from "./words";

const AGAIN_MS = 5000;

/** The recording, once the server has it; a show that has just ended is still being written. */
export const replay = signal<Replay | null>(null);
const timeS = signal(0);
const chosen = signal<string | null>(null);
let picture: HTMLVideoElement | null = null;

export function useReplay(show: string | undefined): void {
  useEffect(() => {
    if (!show) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      replay.value = await get<Replay>(`/shows/${show}/replay`).catch(() => null);
      if (!replay.value) timer = setTimeout(() => void look(), AGAIN_MS);
    };
    void look();
    return () => clearTimeout(timer);
  }, [show]);
}

export function Ended() {
  return <Said title={say("endedTitle")} action={<a class="button" href="/">{say("moreShows")}</a>}>{say("endedNote")}</Said>;
}

export function ReplayPicture({ recording }: { recording: Replay }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => { picture = video.current; return () => { picture = null; }; }, []);
  const moved = (): void => { timeS.value = video.current?.currentTime ?? 0; chosen.value = null; };
  return (
    <section class="picture">
      <video
        ref={video} class="picture-video" data-testid="player" src={recording.mp4} poster={recording.poster ?? undefined} controls playsInline preload="metadata"
        aria-label={`${say("replay")}: ${recording.title}`} onTimeUpdate={() => { timeS.value = video.current?.currentTime ?? 0; }} onSeeked={moved}
      >
        {recording.captions.map(({ lang, url }) => <track key={lang} kind="captions" src={url} srcLang={lang} label={`${say("captions")} (${lang})`} />)}
        <track kind="chapters" src={recording.chapters_vtt} label={say("chapters")} default />
      </video>
    </section>
  );
}

export function ReplayInfo({ recording }: { recording: Replay }) {
  return (
    <div class="info">
      <span class="chip"><History size={14} aria-hidden="true" />{say("replay")}</span>
      <h1>{recording.title}</h1>
      {recording.started_at !== null && <span class="chip">{dayAndTime(recording.started_at)}</span>}
    </div>
  );
}

/** The bar of the whole, and its chapters as a strip. */
export function Chapters({ recording }: { recording: Replay }) {
  const { chapters } = recording;
  const now = chapterAt(chapters, timeS.value);
  return (
    <nav class="rail" aria-label={say("chapters")}>
      <SeekBar recording={recording} place={timeS} go={seek} />
      {chapters.length > 0 && <h3>{say("chapters")}</h3>}
      <ol>{chapters.map((each, index) => <li key={index} data-when={index === now ? "now" : undefined}><Jump chapter={each} now={index === now} /></li>)}</ol>
    </nav>
  );
}

function Jump({ chapter, now }: { chapter: Chapter; now: boolean }) {
  const deal = chapter.kind === "deal";
  const where = lasting(Math.floor(chapter.at_s) * 1000);
  return (
    <button type="button" class="frame" data-testid="chapter" aria-current={now ? "step" : undefined} onClick={() => jump(chapter.at_s)}>
      <ProductPicture image={chapter.image} title={chapter.title} />
      <span class="frame-title"><span class="visually-hidden">{say("jumpTo")} </span>{chapter.title}</span>
      <span class="frame-price figures">{where} · {money(chapter.price)}</span>
      {deal && !calm.value && <span class="frame-deal"><Zap size={12} aria-hidden="true" />{say("dealExpired")}</span>}
    </button>
  );
}

function seek(atS: number): void {
  timeS.value = atS;
  if (picture) picture.currentTime = atS;
}

function jump(atS: number): void {
  seek(atS);
  void picture?.play().catch(() => undefined); // a browser that wants a press shows its own button
}

export function ReplayCard({ watching, recording }: { watching: Watching; recording: Replay }) {
  const pins = pinsAt(recording, timeS.value);
  const shown = chosen.value ?? pins[0] ?? recording.chapters[0]?.offer;
  const sold = recording.offers.find(({ id }) => id === shown);
  if (!sold) return null;
  return (
    <>
      <article class="pin-card" data-testid="pin-card" data-offer={sold.id} key={sold.id}>
        <ProductPicture image={sold.image} title={sold.title} />
        <div class="pin-head"><span class="pin-where">{say("inTheShow")}</span><h2>{sold.title}</h2></div>
        <Prices sold={sold} deal={dealAt(recording, sold.id, timeS.value)} />
        {sold.today ? <BuyToday watching={watching} sold={sold} today={sold.today} /> : <p class="pin-stock small muted">{say("notSoldNow")}</p>}
      </article>
      <Others recording={recording} pins={pins} shown={sold.id} />
    </>
  );
}

function Prices({ sold, deal }: { sold: Sold; deal: Chapter | null }) {
  return (
    <div class="pin-price">
      {deal && !calm.value && <span class="pin-deal figures"><Zap size={14} aria-hidden="true" />{say("dealThen", { price: money(deal.price) })}</span>}
      {sold.today && <strong class="price">{money(sold.today.price)}</strong>}
      <span class="small muted figures">{say("priceThen", { price: money(sold.price) })}</span>
    </div>
  );
}

function BuyToday({ watching, sold, today }: { watching: Watching; sold: Sold; today: Today }) {
  const [wanted, setWanted] = useState(1);
  if (today.left !== null && today.left <= 0) return <p class="pin-stock small" data-testid="stock-left">{say("soldOut")}</p>;
  const most = Math.min(today.left ?? 10, 10);
  const quantity = Math.min(wanted, most);
  return (
    <div class="pin-buy">
      <Quantity quantity={quantity} most={most} set={setWanted} />
      <button type="button" class="button button-spend" data-testid="buy" onClick={() => void watching.buyToday(sold, today, quantity)}>{say(calm.value ? "request" : "buy")}</button>
    </div>
  );
}

/** What else was held up at that moment. */
function Others({ recording, pins, shown }: { recording: Replay; pins: string[]; shown: string }) {
  const others = recording.offers.filter(({ id }) => id !== shown && pins.includes(id));
  if (others.length === 0) return null;
  return (
    <div class="also">
      <h3>{say("alsoOnAir")}</h3>
      {others.map((each) => (
        <button type="button" class="also-offer" key={each.id} onClick={() => { chosen.value = each.id; }}>
          <ProductPicture image={each.image} title={each.title} />
          <span><span class="also-title">{each.title}</span><strong class="figures">{money(each.today?.price ?? each.price)}</strong></span>
        </button>
      ))}
    </div>
  );
}
