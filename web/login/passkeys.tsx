/** The account's passkeys: added, and removed, by whoever has just shown that it is them. */
import { dayAndTime } from "../lib/format";
import { passkeysWork } from "../lib/passkey";
import type { Passkey } from "../lib/shapes";
import { busy, newPasskey, removePasskey } from "./access";
import { say } from "./words";

export function Passkeys({ passkeys }: { passkeys: Passkey[] }) {
  const works = passkeysWork();
  return (
    <div class="stack">
      <h3>{say("passkeys")}</h3>
      <p class="small muted">{say(works ? "passkeysText" : "passkeysNot")}</p>
      <ul class="access">
        {passkeys.map((one) => (
          <li key={one.id} data-testid="passkey-row">
            <span><strong>{one.name}</strong><span class="small muted">{one.used_at ? say("usedAt", { time: dayAndTime(one.used_at) }) : say("neverUsed")}</span></span>
            <button type="button" class="button button-small" disabled={busy.value} onClick={() => void removePasskey(one.id)}>{say("remove")}<span class="visually-hidden"> {one.name}</span></button>
          </li>
        ))}
      </ul>
      {works && (
        <form class="row" onSubmit={(event) => { event.preventDefault(); void newPasskey(String(new FormData(event.currentTarget).get("name"))); }}>
          <label class="field"><span>{say("passkeyName")}</span><input name="name" required maxLength={100} autocomplete="off" /></label>
          <button class="button" disabled={busy.value} data-testid="add-passkey">{say("addPasskey")}</button>
        </form>
      )}
    </div>
  );
}
