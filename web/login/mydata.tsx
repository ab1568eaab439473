/** One's data: have it all in a file, or have it erased. Both wait for a fresh proof like whatever else needs one. */
import { signal } from "@preact/signals";
import { Notice } from "../lib/pieces";
import { busy, eraseMe, exportMe } from "./access";
import { say } from "./words";

const sure = signal(false);

export function MyData() {
  return (
    <div class="stack">
      <h3>{say("myData")}</h3>
      <div class="row">
        <button type="button" class="button button-small" disabled={busy.value} onClick={() => void exportMe()} data-testid="export">{say("export")}</button>
        {!sure.value && <button type="button" class="button button-small" onClick={() => { sure.value = true; }} data-testid="erase">{say("erase")}</button>}
      </div>
      {sure.value && (
        <Notice tone="wait" title={say("eraseTitle")}>
          <p class="small">{say("eraseText")}</p>
          <div class="row">
            <button type="button" class="button" onClick={() => { sure.value = false; }}>{say("keepAccount")}</button>
            <button type="button" class="button" disabled={busy.value} onClick={() => void eraseMe()} data-testid="erase-sure">{say("eraseSure")}</button>
          </div>
        </Notice>
      )}
    </div>
  );
}
