/** Who decides for whom: family links, their removal with a day's notice, and invitations. */
import { Users } from "lucide-preact";
import { useState } from "preact/hooks";
import { get, post, remove } from "../lib/api";
import { dayAndTime } from "../lib/format";
import { Notice } from "../lib/pieces";
import { me } from "../lib/session";
import type { Code, Invitation, Link } from "../lib/shapes";
import { Acting } from "../lib/acting";
import { Proof } from "../lib/proof";
import { say } from "./words";

export function Family({ links, minor, reload }: { links: Link[]; minor: boolean; reload: () => Promise<void> }) {
  return (
    <section class="stack">
      <h2>{say("family")}</h2>
      {links.length === 0 ? <p class="muted">{say("noLinks")}</p> : <ul class="card family">{links.map((link) => <FamilyLink key={link.id} link={link} reload={reload} />)}</ul>}
      <Invite minor={minor} />
    </section>
  );
}

function FamilyLink({ link, reload }: { link: Link; reload: () => Promise<void> }) {
  const [acting] = useState(() => new Acting());
  const iDecide = link.guardian === me.value?.id;
  const changed = async (act: () => Promise<unknown>): Promise<void> => { if (await acting.run(act)) await reload(); };
  const path = `/guardians/links/${link.id}`;
  return (
    <li data-link={link.id}>
      <div class="family-row">
        <Users size={18} aria-hidden="true" />
        <span>{iDecide ? say("decideFor", { name: link.minor_name }) : say("decidedBy", { name: link.guardian_name })}</span>
        <span class={link.verified ? "chip chip-calm" : "chip chip-wait"}>{say(link.verified ? "verified" : "notVerified")}</span>
      </div>
      {!link.verified && <p class="small muted">{say("countsFrom", { time: dayAndTime(link.counts_from) })}</p>}
      <div class="family-row">
        {link.ends_at
          ? <><span class="small">{say("endsAt", { time: dayAndTime(link.ends_at) })}</span><button type="button" class="button button-small" data-testid="keep-link" disabled={acting.busy.value} onClick={() => void changed(() => post(`${path}/keep`))}>{say("keepLink")}</button></>
          : <button type="button" class="button button-small button-plain" data-testid="remove-link" disabled={acting.busy.value} onClick={() => void changed(() => remove(path))}>{say("removeLink")}</button>}
      </div>
      <Proof acting={acting} />
    </li>
  );
}

/** By mail, or as a code on this screen for whoever stands beside it. */
function Invite({ minor }: { minor: boolean }) {
  const [acting] = useState(() => new Acting());
  const [made, setMade] = useState<{ email: string; code: Code | null } | null>(null);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const email = String(new FormData(event.currentTarget as HTMLFormElement).get("email") ?? "");
    const way = (event.submitter as HTMLButtonElement | null)?.value ?? "mail";
    void acting.run(async () => {
      const invitation = await post<Invitation>("/guardians/invitations", { email, way });
      setMade({ email, code: way === "code" ? await get<Code>(`/guardians/invitations/${invitation.id}/code`) : null });
    });
  };
  return (
    <details class="card invite">
      <summary>{say(minor ? "inviteGuardian" : "inviteMinor")}</summary>
      <form class="stack" onSubmit={submit}>
        <p class="small muted">{say(minor ? "inviteGuardianText" : "inviteMinorText")}</p>
        <label class="field"><span>{say("theirMail")}</span><input name="email" type="email" required maxLength={254} autocomplete="off" /></label>
        <div class="proof-ways">
          <button class="button button-solid" value="mail" data-testid="invite-mail" disabled={acting.busy.value}>{say("byMail")}</button>
          <button class="button" value="code" data-testid="invite-code" disabled={acting.busy.value}>{say("byCode")}</button>
        </div>
      </form>
      <Proof acting={acting} />
      {made && (made.code ? <CodeOf code={made.code} /> : <Notice tone="calm" title={say("invited")}><p class="small">{say("invitedText", { email: made.email })}</p></Notice>)}
    </details>
  );
}

/** The QR code, drawn here from its squares: four light ones around it, as readers need. */
function CodeOf({ code }: { code: Code }) {
  const size = code.rows.length;
  const dark = code.rows.flatMap((row, y) => [...row].map((one, x) => (one === "1" ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <figure class="qr" data-testid="qr">
      <svg viewBox={`-4 -4 ${size + 8} ${size + 8}`} role="img" aria-label={say("codeLabel")} shape-rendering="crispEdges"><rect x="-4" y="-4" width={size + 8} height={size + 8} fill="#fff" /><path d={dark} fill="#000" /></svg>
      <figcaption class="small muted">{say("codeText", { time: dayAndTime(code.expires_at) })}</figcaption>
    </figure>
  );
}
