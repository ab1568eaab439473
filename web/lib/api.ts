/** The HTTP client: JSON in and out, problems as typed refusals, CSRF header, idempotency keys, careful retries. */
import { MAY_REPEAT_CODES, refusedFrom, Refused, retryDelayMs } from "./refused";

const BASE = "/api/v1";
const CSRF_COOKIE = "livesale_csrf";
const TRIES = 3;
const ASKED_WITHIN_MS = 10_000;

export interface CallOptions {
  /** The Idempotency-Key of this intent; the same key is used for every retry of it. */
  key?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export const newKey = (): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
};

export const get = <T>(path: string, options: CallOptions = {}): Promise<T> => call<T>("GET", path, undefined, options);

export const put = <T>(path: string, body: unknown): Promise<T> => call<T>("PUT", path, body, {});

export const patch = <T>(path: string, body: unknown): Promise<T> => call<T>("PATCH", path, body, {});

export const remove = <T>(path: string): Promise<T> => call<T>("DELETE", path, undefined, {});

/** A POST says the same thing however often the network makes us repeat it: it always carries a key. */
export async function post<T>(path: string, body: unknown = {}, options: CallOptions = {}): Promise<T> {
  const keyed = { ...options, key: options.key ?? newKey() };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call<T>("POST", path, body, keyed);
    } catch (error) {
      if (!(error instanceof Refused) || attempt >= TRIES || !MAY_REPEAT_CODES.has(error.code)) throw error;
      await new Promise((done) => setTimeout(done, retryDelayMs(error, attempt)));
    }
  }
}

/** A POST that changes nothing, so that asking again is asking anew: no key, no answer kept, and none waited for on a dead line. */
export const ask = <T>(path: string, body?: unknown): Promise<T> => call<T>("POST", path, body, { signal: AbortSignal.timeout(ASKED_WITHIN_MS) });

async function call<T>(method: string, path: string, body: unknown, options: CallOptions): Promise<T> {
  let response: Response;
  try {
    response = await fetch(BASE + path, {
      method,
      headers: headersFor(method, body, options, cookieOf(document.cookie, CSRF_COOKIE)),
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      signal: options.signal ?? null,
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused(0, "offline", "The server cannot be reached.");
  }
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T;
  throw refusedFrom(response.status, await response.text(), response.headers.get("Retry-After"));
}

export function headersFor(method: string, body: unknown, options: CallOptions, csrf: string | null): Record<string, string> {
  const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrf) headers["X-CSRF-Token"] = csrf;
  if (options.key) headers["Idempotency-Key"] = options.key;
  return headers;
}

export function cookieOf(jar: string, name: string): string | null {
  const found = jar.split(/;\s*/).find((pair) => pair.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : null;
}
