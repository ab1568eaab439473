/** One ward: buying stopped or not, what is agreed to in advance, how two guardians decide, and the record of it all. */
import { Download, Pause, Play } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { get, put } from "../lib/api";
import { money } from "../lib/format";
import type { Allowance, Link } from "../lib/shapes";
import { PaymentChoice } from "../lib/checkout/address";
import { Acting } from "../lib/acting";
import { Proof } from "../lib/proof";
import { say } from "./words";

export function Ward({ link, reload, heardOf }: { link: Link; reload: () => Promise<void>; heardOf: number }) {
  const [acting] = useState(() => new Acting());
  const name = { name: link.minor_name };
  const path = `/wards/${link.minor}`;
  const stop = async (frozen: boolean): Promise<void> => { if (await acting.run(() => put(`${path}/freeze`, { frozen }))) await reload(); };
  return (
    <article class="card ward" data-testid="ward" data-ward={link.minor}>
      <header class="ward-head">
        <h3>{link.minor_name}</h3>
        <button type="button" class="button button-small" data-testid="freeze" aria-pressed={link.frozen} disabled={acting.busy.value} onClick={() => void stop(!link.frozen)}>{link.frozen ? <Play size={16} aria-hidden="true" /> : <Pause size={16} aria-hidden="true" />}{say(link.frozen ? "thaw" : "freeze")}</button>
      </header>
      <p class="small muted">{say(link.frozen ? "frozenText" : "freezeText", name)}</p>
      <Proof acting={acting} />
      <AllowanceOf link={link} heardOf={heardOf} />
      <Together link={link} reload={reload} />
      <a class="button button-small" href={`/api/v1${path}/consents`} download data-testid="consents"><Download size={16} aria-hidden="true" />{say("consents")}</a>
    </article>
  );
}

/** Minor units of what was typed, by comma or point; null for what is no sum. */
export function typedAmount(text: string): number | null {
  const found = /^(\d{1,6})(?:[.,](\d{1,2}))?$/.exec(text.trim());
  return found ? Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0")) : null;
}

const asTyped = (minor: number): string => (minor / 100).toFixed(2);
const listed = (text: string): string[] => text.split(",").map((one) => one.trim()).filter(Boolean);

function AllowanceOf({ link, heardOf }: { link: Link; heardOf: number }) {
  const [acting] = useState(() => new Acting());
  const [now, setNow] = useState<Allowance | null>(null);
  const [wrong, setWrong] = useState(false);
  const path = `/wards/${link.minor}/allowance`;
  useEffect(() => { void get<Allowance>(path).then(setNow, () => undefined); }, [path, heardOf]);
  if (!now) return null;
  const granted = now.monthly.amount > 0;
  const save = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (field: string): string => String(form.get(field) ?? "");
    const [monthly, perOrder] = [typedAmount(text("monthly")), typedAmount(text("per_order"))];
    setWrong(monthly === null || perOrder === null);
    if (monthly === null || perOrder === null) return;
    const currency = now.monthly.currency;
    const quiet = text("from") && text("until") ? { from: text("from"), until: text("until") } : null;
    const body = {
      monthly: { amount: monthly, currency }, per_order: { amount: perOrder, currency }, categories: listed(text("categories")), quiet_hours: quiet,
      blocked: listed(text("blocked")), payment: form.get("pays") ? { method: "card", token: text("token") || "pm_ok" } : null,
    };
    void acting.run(async () => setNow(await put<Allowance>(path, body)));
  };
  return (
    <details class="allowance" data-testid="allowance">
      <summary>{granted ? say("allowanceNow", { left: money(now.left), monthly: money(now.monthly) }) : say("allowanceNone")}</summary>
      <form class="fields" onSubmit={save}>
        <p class="small muted">{say("allowanceText", { name: link.minor_name })}</p>
        <div class="pair">
          <label class="field"><span>{say("monthly", { currency: now.monthly.currency })}</span><input name="monthly" inputMode="decimal" required defaultValue={asTyped(now.monthly.amount)} /></label>
          <label class="field"><span>{say("perOrder", { currency: now.monthly.currency })}</span><input name="per_order" inputMode="decimal" required defaultValue={asTyped(now.per_order.amount)} /></label>
        </div>
        <div class="pair">
          <label class="field"><span>{say("quietFrom")}</span><input name="from" type="time" defaultValue={now.quiet_hours?.from ?? ""} /></label>
          <label class="field"><span>{say("quietUntil")}</span><input name="until" type="time" defaultValue={now.quiet_hours?.until ?? ""} /></label>
        </div>
        <label class="field"><span>{say("categories")}</span><input name="categories" defaultValue={now.categories.join(", ")} /></label>
        <label class="field"><span>{say("blocked")}</span><input name="blocked" defaultValue={now.blocked.join(", ")} /></label>
        <label class="check"><input type="checkbox" name="pays" defaultChecked={now.pays} /><span class="small">{say("paysConsent")}</span></label>
        <details class="pay-details"><summary>{say("payWith")}</summary><PaymentChoice /></details>
        {wrong && <p class="field-fault">{say("noSum")}</p>}
        <button class="button button-solid" data-testid="save-allowance" disabled={acting.busy.value}>{say("save")}</button>
      </form>
      <Proof acting={acting} />
    </details>
  );
}

/** How this guardian decides beside another, and the declaration of whom they represent the child with. */
function Together({ link, reload }: { link: Link; reload: () => Promise<void> }) {
  const [acting] = useState(() => new Acting());
  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const body = { mode: form.get("all") ? "all" : "any", authority: String(form.get("authority") ?? "joint") };
    if (await acting.run(() => put(`/wards/${link.minor}/authority`, body))) await reload();
  };
  return (
    <details class="allowance">
      <summary>{say("together")}</summary>
      <form class="fields" onSubmit={(event) => void save(event)}>
        <fieldset class="fields">
          <legend class="small muted">{say("authority", { name: link.minor_name })}</legend>
          {(["joint", "sole", "mutual"] as const).map((one) => (
            <label class="check" key={one}><input type="radio" name="authority" value={one} defaultChecked={link.authority === one} /><span class="small">{say(`authority_${one}`)}</span></label>
          ))}
        </fieldset>
        <label class="check"><input type="checkbox" name="all" defaultChecked={link.mode === "all"} /><span class="small">{say("bothAlways")}</span></label>
        <button class="button" data-testid="save-authority" disabled={acting.busy.value}>{say("save")}</button>
      </form>
      <Proof acting={acting} />
    </details>
  );
}
