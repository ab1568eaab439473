/** Passkeys: what the server asks, the browser's authenticator answers. */
import { ask, get, post } from "./api";
import type { Listed, Me, Passkey } from "./shapes";

interface Options<T> { publicKey: T }

/** A passkey belongs to a name: under a bare address, or in an old browser, there are none. */
export function passkeysWork(): boolean {
  return typeof PublicKeyCredential !== "undefined" && "parseRequestOptionsFromJSON" in PublicKeyCredential && isName(location.hostname);
}

export const isName = (host: string): boolean => !host.startsWith("[") && !/^[\d.]+$/.test(host);

export const signInByPasskey = async (): Promise<Me> => post<Me>("/session/passkey", { credential: await signed("/session/passkey/options") });

export const stepUpByPasskey = async (): Promise<Me> => post<Me>("/session/step-up/passkey", { credential: await signed("/session/step-up/options") });

/** The server's answer of a moment ago says whether this account has any. */
export const hasPasskey = async (): Promise<boolean> => passkeysWork() && (await get<Listed<Passkey>>("/passkeys")).items.length > 0;

export async function addPasskey(name: string): Promise<Passkey> {
  const { publicKey } = await ask<Options<PublicKeyCredentialCreationOptionsJSON>>("/passkeys/options");
  const made = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
  return post<Passkey>("/passkeys", { name, credential: (made as PublicKeyCredential).toJSON() });
}

/** Whoever closes the browser's window has decided: that is no fault to tell of. */
export const wasCancelled = (error: unknown): boolean => error instanceof DOMException && (error.name === "NotAllowedError" || error.name === "AbortError");

async function signed(path: string): Promise<unknown> {
  const { publicKey } = await ask<Options<PublicKeyCredentialRequestOptionsJSON>>(path);
  const found = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
  return (found as PublicKeyCredential).toJSON();
}
