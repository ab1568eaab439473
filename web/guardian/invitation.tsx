/** An invitation by its link: who invites, and one press to accept. The secret stands behind the `#` and leaves the bar at once. */
import { useEffect, useState } from "preact/hooks";
import { get, post } from "../lib/api";
import { Notice } from "../lib/pieces";
import type { Invitation as Invited, Link } from "../lib/shapes";
import { Acting } from "../lib/acting";
import { Proof } from "../lib/proof";
import { say } from "./words";

const KEPT = "livesale.invitation";

/** From the address, or from before signing in; kept for this tab only. */
export function tokenFromAddress(): string | null {
  const told = new URLSearchParams(location.hash.slice(1)).get("invitation");
  if (told) {
    sessionStorage.setItem(KEPT, told);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(KEPT);
}

export function Invitation({ token, done }: { token: string; done: () => void }) {
  const [acting] = useState(() => new Acting());
  const [found, setFound] = useState<Invited | null | undefined>(undefined);
  const [link, setLink] = useState<Link | null>(null);
  useEffect(() => { void get<Invited>(`/guardians/invitations/${token}`).then(setFound, () => setFound(null)); }, [token]);
  const accept = async (): Promise<void> => {
    await acting.run(async () => {
      setLink(await post<Link>(`/guardians/invitations/${token}/accept`));
      sessionStorage.removeItem(KEPT);
      done();
    });
  };
  const forget = (): void => { sessionStorage.removeItem(KEPT); setFound(undefined); done(); };
  if (link) return <Notice tone="calm" title={say("accepted")}><p class="small">{say("acceptedText")}</p></Notice>;
  if (found === undefined) return null;
  if (found === null || found.state !== "open") {
    return <Notice tone="wait" title={say("notForYou")}><p class="small">{say("notForYouText")}</p><button type="button" class="button button-small" onClick={forget}>{say("dismiss")}</button></Notice>;
  }
  return (
    <div class="card request" data-testid="invitation">
      <h2>{say(found.invites === "guardian" ? "invitesGuardian" : "invitesMinor", { name: found.inviter_name })}</h2>
      <p class="small muted">{say(found.invites === "guardian" ? "invitesGuardianText" : "invitesMinorText", { name: found.inviter_name })}</p>
      <Proof acting={acting} />
      <div class="answers"><button type="button" class="button" onClick={forget}>{say("notNow")}</button><button type="button" class="button button-calm" data-testid="accept" disabled={acting.busy.value} onClick={() => void accept()}>{say("accept")}</button></div>
    </div>
  );
}
