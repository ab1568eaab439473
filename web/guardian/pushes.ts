/** Being told in this browser: what is so now, and turning it on and off. Mails come in any case. */
import { signal } from "@preact/signals-core";
import { get, put, remove } from "../lib/api";
import { doing } from "../lib/doing";
import type { PushPage } from "../lib/shapes";

const WORKER = "/push.js";
const SCOPE = "/guardian";

export type Standing = "unsupported" | "blocked" | "off" | "on";

/** undefined: not known yet. */
export const standing = signal<Standing | undefined>(undefined);
export const busy = signal(false);
/** Why the last press changed nothing. */
export const refusal = signal<unknown>(null);

/** On only when browser, permission and server agree: a subscription of another account, or of an ended sign-in, is off. */
export function standingOf(can: boolean, permission: NotificationPermission, endpoint: string | null, known: readonly string[]): Standing {
  if (!can) return "unsupported";
  if (permission === "denied") return "blocked";
  return permission === "granted" && endpoint !== null && known.includes(endpoint) ? "on" : "off";
}

const canPush = (): boolean => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

export async function look(): Promise<void> {
  const subscription = canPush() ? await subscribed() : null;
  show(await get<PushPage>("/me/pushes"), subscription);
}

function show(page: PushPage, subscription: PushSubscription | null): void {
  const permission = canPush() ? Notification.permission : "default";
  standing.value = standingOf(canPush(), permission, subscription?.endpoint ?? null, page.items.map((one) => one.endpoint));
}

export const turnOn = (): Promise<void> => doing(busy, refusal, async () => {
  if (await Notification.requestPermission() !== "granted") return look();
  const { key } = await get<PushPage>("/me/pushes");
  const registration = await navigator.serviceWorker.register(WORKER, { scope: SCOPE });
  await (await registration.pushManager.getSubscription())?.unsubscribe(); // whoever it was for, and with whichever key
  await active(registration);
  const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) });
  const { endpoint, keys } = made.toJSON();
  show(await put<PushPage>("/me/pushes", { endpoint, p256dh: keys?.p256dh, auth: keys?.auth }), made);
});

export const turnOff = (): Promise<void> => doing(busy, refusal, async () => {
  const subscription = await subscribed();
  const here = (await get<PushPage>("/me/pushes")).items.find((one) => one.endpoint === subscription?.endpoint);
  if (here) await remove(`/me/pushes/${here.id}`);
  await subscription?.unsubscribe();
  await look();
});

async function subscribed(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration(SCOPE);
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** Only a worker that has started can subscribe. */
function active(registration: ServiceWorkerRegistration): Promise<void> {
  const coming = registration.installing ?? registration.waiting;
  if (registration.active || !coming) return Promise.resolve();
  return new Promise((done) => coming.addEventListener("statechange", () => { if (coming.state === "activated") done(); }));
}

export function bytesOf(key: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
}
