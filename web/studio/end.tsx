/** Ending the show is asked once more, with what it means: it cannot be begun again. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Studio } from "./ctrl";
import { orderCounts } from "./plan";
import { say } from "./words";

const asking = signal(false);

export const askToEnd = (): void => { asking.value = true; };

export function EndDialog({ studio }: { studio: Studio }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => { if (asking.value) dialog.current?.showModal(); }, [asking.value]);
  if (!asking.value) return null;
  const open = orderCounts(studio.known.value?.show.orders)?.open ?? 0;
  return (
    <dialog ref={dialog} class="card stage ask" aria-labelledby="ask-end" onClose={() => { asking.value = false; }}>
      <h2 id="ask-end">{say("reallyEnd")}</h2>
      <p class="small muted">{say("endMeans")}{open > 0 ? ` ${say("endOpen", { n: open })}` : ""}</p>
      <div class="ask-answers">
        <button type="button" class="button" onClick={() => dialog.current?.close()}>{say("keepOn")}</button>
        <button type="button" class="button" data-testid="confirm-cancel" title={say("cancelMeans")} onClick={() => { dialog.current?.close(); void studio.end("cancel"); }}>{say("cancelShow")}</button>
        <button type="button" class="button button-solid" data-testid="confirm-end" onClick={() => { dialog.current?.close(); void studio.end(); }}>{say("end")}</button>
      </div>
    </dialog>
  );
}
