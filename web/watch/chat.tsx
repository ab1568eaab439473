/** The chat: lines of the log, one field, one heart. */
import { Heart, SendHorizontal } from "lucide-preact";
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { post } from "../lib/api";
import { me, signInAddress } from "../lib/session";
import { sorryFor } from "../lib/sorry";
import type { Watching } from "./ctrl";
import { say } from "./words";

const LONGEST_LINE = 300;
const refusal = signal<string | null>(null);

export function Chat({ watching }: { watching: Watching }) {
  const lines = watching.known.value?.chat ?? [];
  const notices = watching.known.value?.notices ?? [];
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => { followEnd(list.current); }, [lines.length, notices.length]);
  return (
    <section class="chat" aria-label={say("chat")}>
      <h3>{say("chat")}</h3>
      <ol class="chat-lines" ref={list} role="log" aria-live="polite" tabIndex={0}>
        {lines.length === 0 && <li role="none" class="chat-empty">{say("chatEmpty")}</li>}
        {lines.map((line) => <li role="none" key={line.id}><b>{line.name}</b> {line.text}</li>)}
        {notices.map((notice) => <li role="none" key={notice.id} class="chat-notice">{notice.text}</li>)}
      </ol>
      <Say watching={watching} />
    </section>
  );
}

function Say({ watching }: { watching: Watching }) {
  const field = useRef<HTMLInputElement>(null);
  const send = (event: SubmitEvent): void => {
    event.preventDefault();
    if (field.current) void speak(watching, field.current);
  };
  return (
    <form class="chat-say" onSubmit={send}>
      {me.value === null && <a class="tiny chat-sign-in" href={signInAddress()}>{say("signInToChat")}</a>}
      {refusal.value && <p class="tiny field-fault" role="alert">{refusal.value}</p>}
      <input ref={field} class="input" data-testid="chat-input" maxLength={LONGEST_LINE} placeholder={say("chatPlaceholder")} aria-label={say("chatPlaceholder")} enterkeyhint="send" autocomplete="off" />
      <button class="button button-icon" aria-label={say("send")}><SendHorizontal size={18} aria-hidden="true" /></button>
      <button type="button" class="button button-icon" aria-label={say("heart")} onClick={() => void watching.react()}><Heart size={18} aria-hidden="true" /></button>
    </form>
  );
}

/** The words stay in the field until the server has them. */
async function speak(watching: Watching, field: HTMLInputElement): Promise<void> {
  const text = field.value.trim();
  if (!text) return;
  refusal.value = null;
  try {
    await post(`/shows/${watching.show}/chat`, { text });
    field.value = "";
  } catch (error) {
    refusal.value = sorryFor(error);
  }
}

/** Someone reading further up is not pulled down. */
function followEnd(list: HTMLElement | null): void {
  if (list && list.scrollHeight - list.scrollTop - list.clientHeight < 160) list.scrollTop = list.scrollHeight;
}
