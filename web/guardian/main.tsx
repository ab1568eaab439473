/** The guardian's page: one screen, one decision. For a minor: who decides, and what has been asked. */
import { ShieldCheck } from "lucide-preact";
import { get } from "../lib/api";
import { dayAndTime, money } from "../lib/format";
import { everyWhileSeen, source } from "../lib/loading";
import { idFromPath, mount } from "../lib/mount";
import { Empty, Failed, Loading } from "../lib/pieces";
import { calm, me, signInAddress } from "../lib/session";
import type { Approval, Link, Listed } from "../lib/shapes";
import { Frame } from "../lib/shell";
import { say as sayAll } from "../lib/words";
import { Accept, Family, Invite } from "./family";
import "./guardian.css";
import { Request } from "./request";
import { sayRequestState, say } from "./words";

const LOOK_MS = 3000;
const invitation = new URLSearchParams(location.search).get("invitation");
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

function Guardian() {
  const state = desk.state.value;
  const minor = calm.value;
  return (
    <Frame here="/guardian" narrow>
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
  const reload = (): void => void desk.load();
  const waiting = approvals.filter((approval) => approval.state === "requested" || decidedHere.has(approval.id));
  const earlier = approvals.filter((approval) => !waiting.includes(approval));
  for (const approval of waiting) decidedHere.add(approval.id);
  return (
    <>
      {invitation && !minor && <Accept token={invitation} reload={reload} />}
      {waiting.length === 0 && !invitation && !minor && <div class="card"><Empty icon={ShieldCheck} title={say("none")}><p>{say("noneText")}</p></Empty></div>}
      {waiting.map((approval) => <Request key={approval.id + approval.digest} approval={approval} reload={reload} asMinor={minor} />)}
      {minor && <Invite />}
      {earlier.length > 0 && <Earlier approvals={earlier} />}
      <Family links={links} reload={reload} />
    </>
  );
}

/** What was open on this page stays on it with its answer, however often the list is loaded again. */
const decidedHere = new Set<string>();

function Earlier({ approvals }: { approvals: Approval[] }) {
  return (
    <section class="stack">
      <h2>{say("earlier")}</h2>
      <ul class="card earlier">
        {approvals.map((approval) => (
          <li key={approval.id}>
            <span class="earlier-text"><strong>{approval.lines.map((line) => line.title ?? line.offer).join(", ")}</strong><span class="small muted">{approval.minor_name} · {dayAndTime(approval.expires_at)}</span></span>
            <span class="figures">{money(approval.total)}</span>
            <span class="chip">{sayRequestState(approval.state)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

void desk.load();
everyWhileSeen(LOOK_MS, () => { if (me.value) void desk.load(); });
mount(Guardian, () => say("title"));
