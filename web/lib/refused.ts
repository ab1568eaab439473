/** What the server says no with (RFC 9457 problems), as a typed value. Pure. */
import type { Money } from "./shapes";

export interface LineFault { field?: string; detail?: string; offer?: string; left?: number; price?: Money; [more: string]: unknown }

/** Codes after which the same request with the same key may simply be sent again. */
export const MAY_REPEAT_CODES = new Set(["offline", "store_unavailable", "in_progress"]);

const LONGEST_WAIT_MS = 5000;

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly errors: LineFault[] = [],
    readonly retryAfterS: number | null = null,
  ) {
    super(`${code}: ${detail}`);
  }

  /** The sentence for one form field, if the server named it. */
  faultOf(field: string): string | null {
    const fault = this.errors.find((each) => each.field === field || each.field?.endsWith(`.${field}`));
    return fault?.detail ?? null;
  }
}

/** Anything that is not a problem document (a proxy's page, an empty body) still becomes a refusal with a code. */
export function refusedFrom(status: number, body: string, retryAfter: string | null): Refused {
  const problem = parsed(body);
  const seconds = retryAfter === null ? null : Number(retryAfter);
  return new Refused(
    status,
    typeof problem.code === "string" ? problem.code : codeOfStatus(status),
    typeof problem.detail === "string" ? problem.detail : "",
    Array.isArray(problem.errors) ? (problem.errors as LineFault[]) : [],
    seconds !== null && Number.isFinite(seconds) ? seconds : null,
  );
}

export function retryDelayMs(refused: Refused, attempt: number): number {
  const asked = refused.retryAfterS === null ? 250 * 2 ** attempt : refused.retryAfterS * 1000;
  return Math.min(asked, LONGEST_WAIT_MS);
}

function parsed(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function codeOfStatus(status: number): string {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  if (status === 409) return "conflict";
  if (status === 413) return "too_large";
  if (status === 422) return "invalid";
  if (status === 429) return "rate_limited";
  return status === 503 ? "store_unavailable" : "broken";
}
