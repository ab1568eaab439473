/** Who can act for this account: browsers, programs, and how each is ended. What needs a fresh proof asks for it once. */
import { computed, signal } from "@preact/signals-core";
import { get, newKey, post, remove } from "../lib/api";
import { source } from "../lib/loading";
import { addPasskey, wasCancelled } from "../lib/passkey";
import { StepUp } from "../lib/stepup";
import { Refused } from "../lib/refused";
import type { Listed, Passkey, SignIn, Token, TokenMade } from "../lib/shapes";

interface Here { signIns: SignIn[]; tokens: Token[]; passkeys: Passkey[] }

export const access = source<Here>(async () => {
  const [signIns, tokens, passkeys] = await Promise.all([get<Listed<SignIn>>("/sessions"), get<Listed<Token>>("/tokens"), get<Listed<Passkey>>("/passkeys")]);
  return { signIns: signIns.items.filter((one) => one.kind === "session"), tokens: tokens.items, passkeys: passkeys.items };
});

export const busy = signal(false);
export const refusal = signal<unknown>(null);
/** No fault: the code has only just been mailed. */
class CodeMissing extends Error {}

/** What waits for a fresh proof. */
const waiting = signal<(() => Promise<void>) | null>(null);
export const needsProof = computed(() => waiting.value !== null);
/** The secret of the token just made: shown once, kept nowhere. */
export const made = signal<TokenMade | null>(null);

export async function act(what: () => Promise<void>): Promise<void> {
  if (busy.value) return;
  busy.value = true;
  refusal.value = null;
  try {
    await what();
    waiting.value = null;
    await access.load();
  } catch (error) {
    if (error instanceof CodeMissing) return;
    if (error instanceof Refused && error.code === "step_up_required") waiting.value = what;
    else if (!wasCancelled(error)) refusal.value = error;
  } finally {
    busy.value = false;
  }
}

/** Prove it, then do what was wanted; a proof that fails leaves the wish waiting. */
export function prove(proof: () => Promise<unknown>): Promise<void> {
  const wanted = waiting.value;
  return act(async () => {
    await proof();
    await wanted?.();
  });
}

const stepUp = new StepUp();
export const codeSent = stepUp.coded;

/** Password first, then the code it was mailed for; only then is done what was wanted. */
export async function withPassword(password: string, code: string): Promise<void> {
  const wanted = waiting.value;
  await act(async () => {
    if (await stepUp.by(password, code)) await wanted?.();
    else throw new CodeMissing();
  });
}

export const end = (id: string): Promise<void> => act(async () => { await remove(`/sessions/${id}`); });

export const endAll = (): Promise<void> => act(async () => {
  await remove("/sessions");
  location.assign("/login");
});

export const newPasskey = (name: string): Promise<void> => act(async () => { await addPasskey(name); });

export const removePasskey = (id: string): Promise<void> => act(async () => { await remove(`/passkeys/${id}`); });

export function makeToken(name: string, days: number): Promise<void> {
  const key = newKey();
  return act(async () => { made.value = await post<TokenMade>("/tokens", { name, days }, { key }); });
}

/** Everything the server has of this account, as a file of this browser. */
export const exportMe = (): Promise<void> => act(async () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(await get("/me/export"), null, 1)], { type: "application/json" }));
  link.download = "livesale-export.json";
  link.click();
  URL.revokeObjectURL(link.href);
});

export const eraseMe = (): Promise<void> => act(async () => {
  await remove("/me");
  location.assign("/");
});
