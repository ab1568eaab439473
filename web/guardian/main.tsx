/** The guardian's page: one screen, one decision. For a minor: who decides, and what has been asked. */
import { effect, signal } from "@preact/signals";
import { ShieldCheck } from "lucide-preact";
import { get } from "../lib/api";
import { dayAndTime, money } from "../lib/format";
import { everyWhileSeen, source } from "../lib/loading";
import { mount } from "../lib/mount";
import { idFromPath } from "../lib/path";
import { Empty, Failed, Loading } from "../lib/pieces";
import { calm, me, signInAddress } from "../lib/session";
import type { Approval, Link, Listed } from "../lib/shapes";
import { Frame } from "../lib/shell";
import { say as sayAll } from "../lib/words";
import { Family } from "./family";
import { Invitation, tokenFromAddress } from "./invitation";
import { listen, merged } from "./news";
import "./guardian.css";
import { Pushes } from "./pushswitch";
import { isQuestion, Request } from "./request";
import { Ward } from "./ward";
import { sayRequestState, say } from "./words";

const LOOK_MS = 15_000; // a net under the news, which may miss something
const asked = idFromPath(location.pathname);

interface Desk { approvals: Approval[]; links: Link[] }

const desk = source<Desk>(async () => {
  const [approvals, links] = await Promise.all([get<Listed<Approval>>("/approvals?limit=50"), get<Listed<Link>>("/guardians/links").catch(() => ({ items: [] }))]);
  return { approvals: first(approvals.items, asked), links: links.items };
});

/** The request a mail links to comes first. */
function first(approvals: Approval[], id: string | null): Approval[] {
  return [...approvals].sort((one, other) => Number(other.id === id) - Number(one.id === id));
}

/** Grows with every change of the family: what a ward has left is read again. */
const heardOf = signal(0);

/** What has changed is asked for by its id: a list may be a second behind. */
async function look(ids: string[], family: boolean): Promise<void> {
  const state = desk.state.value;
  if (family) heardOf.value += 1;
  if (family || state.kind !== "here") return desk.load();
  const found = await Promise.all(ids.map((id) => get<Approval>(`/approvals/${id}`).catch(() => null)));
  const changed = found.filter((one): one is Approval => one !== null);
  const now = desk.state.value;
  if (now.kind === "here") desk.state.value = { kind: "here", value: { ...now.value, approvals: first(merged(now.value.approvals, changed), asked) } };
}

const invitation = signal(tokenFromAddress());
addEventListener("hashchange", () => { invitation.value = tokenFromAddress(); });

/** One screen, one decision: the request in front; the others wait their turn below. */
const inFront = signal<string | null>(asked);

function Guardian() {
  const state = desk.state.value;
  const minor = calm.value;
  return (
    <Frame here="/guardian" width="narrow">
      <header class="page-head"><h1>{say(minor ? "titleMinor" : "title")}</h1><p>{say(minor ? "leadMinor" : "lead")}</p></header>
      {me.value === null
        ? <div class="card"><Empty icon={ShieldCheck} title={say("signIn")}><p>{say("signInText")}</p><a class="button button-solid" href={signInAddress()}>{sayAll("signIn")}</a></Empty></div>
        : state.kind === "loading" || me.value === undefined ? <Loading heights={["340px"]} />
          : state.kind === "failed" ? <Failed error={state.error} retry={() => void desk.load()} />
            : <Room desk={state.value} minor={minor} />}
    </Frame>
  );
}

function Room({ desk: { approvals, links }, minor }: { desk: Desk; minor: boolean }) {
  const waiting = approvals.filter((approval) => ["requested", "approved"].includes(approval.state) || isQuestion(approval) || decidedHere.has(approval.id));
  const earlier = approvals.filter((approval) => !waiting.includes(approval));
  const wards = links.filter((link) => link.guardian === me.value?.id);
  for (const approval of waiting) decidedHere.add(approval.id);
  return (
    <>
      {invitation.value && <Invitation token={invitation.value} done={() => void desk.load()} />}
      {waiting.length === 0 && <div class="card"><Empty icon={ShieldCheck} title={say(minor ? "noneMinor" : "none")}><p>{say(minor ? "noneMinorText" : "noneText")}</p></Empty></div>}
      <Waiting waiting={waiting} minor={minor} />
      {earlier.length > 0 && <Earlier approvals={earlier} />}
      {wards.length > 0 && <section class="stack"><h2>{say("wards")}</h2>{wards.map((link) => <Ward key={link.id} link={link} reload={desk.load} heardOf={heardOf.value} />)}</section>}
      {!minor && <Pushes />}
      <Family links={links} minor={minor} reload={desk.load} />
    </>
  );
}

function Waiting({ waiting, minor }: { waiting: Approval[]; minor: boolean }) {
  const front = waiting.find((approval) => approval.id === inFront.value) ?? waiting.find((approval) => approval.state === "requested" || isQuestion(approval)) ?? waiting[0];
  if (!front) return null;
  if (inFront.peek() !== front.id) inFront.value = front.id;
  const others = waiting.filter((approval) => approval !== front);
  return (
    <>
      <Request key={front.id + front.digest + isQuestion(front)} approval={front} reload={() => void desk.load()} asMinor={minor} />
      {others.length > 0 && (
        <section class="stack">
          <h2>{say(minor ? "moreMinor" : "more")}</h2>
          <ul class="card earlier">{others.map((approval) => (
            <li key={approval.id} data-waiting={approval.id}>
              <Summary approval={approval} />
              <button type="button" class="button button-small" onClick={() => { inFront.value = approval.id; scrollTo({ top: 0 }); }}>{say("look")}<span class="visually-hidden">: {titlesOf(approval)}</span></button>
            </li>
          ))}</ul>
        </section>
      )}
    </>
  );
}

const titlesOf = (approval: Approval): string => approval.lines.map((line) => line.title ?? line.offer).join(", ");

function Summary({ approval }: { approval: Approval }) {
  return (
    <>
      <span class="earlier-text"><strong>{titlesOf(approval)}</strong><span class="small muted">{approval.minor_name} · {approval.state === "requested" || isQuestion(approval) ? `${say("until")} ` : ""}{dayAndTime(approval.expires_at)}</span></span>
      <span class="figures">{money(approval.total)}</span>
      {approval.state !== "requested" && <span class="chip">{sayRequestState(approval.state)}</span>}
    </>
  );
}

let heard: Promise<never> | null = null;
const listening = (): Promise<never> => heard ??= listen((news) => look(news.approvals, news.family));

/** What was open on this page stays on it with its answer, however often the list is loaded again. */
const decidedHere = new Set<string>();

function Earlier({ approvals }: { approvals: Approval[] }) {
  return (
    <section class="stack">
      <h2>{say("earlier")}</h2>
      <ul class="card earlier">
        {approvals.map((approval) => <li key={approval.id}><Summary approval={approval} /></li>)}
      </ul>
    </section>
  );
}

void desk.load();
effect(() => { if (me.value) void listening(); });
everyWhileSeen(LOOK_MS, () => { if (me.value) void desk.load(); });
mount(Guardian, () => say("title"));
