/** The switch for being told in this browser. */
import { Bell } from "lucide-preact";
import { useEffect } from "preact/hooks";
import { Notice } from "../lib/pieces";
import { Refused } from "../lib/refused";
import { detailOf, sorryFor } from "../lib/sorry";
import { busy, look, refusal, standing, turnOff, turnOn } from "./pushes";
import { say } from "./words";

export function Pushes() {
  useEffect(() => { void look().catch(() => undefined); }, []);
  const now = standing.value;
  if (now === undefined) return null;
  const on = now === "on";
  return (
    <section class="card pushes" data-testid="pushes" data-state={now}>
      <div class="family-row">
        <Bell size={18} aria-hidden="true" />
        <h2>{say("pushTitle")}</h2>
        {(on || now === "off") && <button type="button" role="switch" aria-checked={on} class="button button-small" aria-disabled={busy.value} onClick={() => void (on ? turnOff() : turnOn())} data-testid="push-switch">{say(on ? "pushTurnOff" : "pushTurnOn")}</button>}
      </div>
      <p class="small muted" role="status">{say(`push_${now}`)}</p>
      {refusal.value !== null && <Notice tone="fault"><p>{refusal.value instanceof Refused ? `${sorryFor(refusal.value)} ${detailOf(refusal.value)}` : say("pushFailed")}</p></Notice>}
    </section>
  );
}
