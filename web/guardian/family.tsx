/** Who decides for whom: the family links, as the operator has verified them. */
import { Users } from "lucide-preact";
import { me } from "../lib/session";
import type { Link } from "../lib/shapes";
import { say } from "./words";

export function Family({ links }: { links: Link[] }) {
  return (
    <section class="stack">
      <h2>{say("family")}</h2>
      {links.length === 0 ? <p class="muted">{say("noLinks")}</p> : <ul class="card family">{links.map((link) => <FamilyLink key={link.id} link={link} />)}</ul>}
    </section>
  );
}

function FamilyLink({ link }: { link: Link }) {
  const iDecide = link.guardian === me.value?.id;
  return (
    <li>
      <Users size={18} aria-hidden="true" />
      <span>{iDecide ? say("decideFor", { name: link.minor_name }) : say("decidedBy", { name: link.guardian_name })}</span>
      <span class={link.verified ? "chip chip-calm" : "chip chip-wait"}>{say(link.verified ? "verified" : "notVerified")}</span>
    </li>
  );
}
