/** What the connection's statistics mean for a host. Pure. */

export interface Report { type: string; kind?: string; [field: string]: unknown }
export interface Sample { atMs: number; reports: Report[] }

export interface UploadFigures { kbps: number; fps: number; lossPercent: number; rttMs: number; limited: string | null; verdict: "good" | "fair" | "poor" }

const number = (value: unknown): number => (typeof value === "number" && Number.isFinite(value) ? value : 0);

export function figuresFrom(before: Sample | null, now: Sample): UploadFigures {
  const sent = find(now, "outbound-rtp");
  const heard = find(now, "remote-inbound-rtp");
  const bytes = number(sent?.bytesSent) - number(before ? find(before, "outbound-rtp")?.bytesSent : 0);
  const seconds = before ? (now.atMs - before.atMs) / 1000 : 0;
  const reason = sent?.qualityLimitationReason;
  const figures = {
    kbps: seconds > 0 ? Math.max(0, Math.round((bytes * 8) / seconds / 1000)) : 0,
    fps: Math.round(number(sent?.framesPerSecond)),
    lossPercent: Math.round(number(heard?.fractionLost) * 1000) / 10,
    rttMs: Math.round(number(heard?.roundTripTime) * 1000),
    limited: typeof reason === "string" && reason !== "none" ? reason : null,
  };
  return { ...figures, verdict: verdictOf(figures) };
}

export function verdictOf({ fps, lossPercent, rttMs }: Omit<UploadFigures, "verdict">): UploadFigures["verdict"] {
  if (fps < 10 || lossPercent > 8 || rttMs > 800) return "poor";
  return fps < 20 || lossPercent > 2 || rttMs > 300 ? "fair" : "good";
}

const find = (sample: Sample, type: string): Report | undefined =>
  sample.reports.find((report) => report.type === type && report.kind === "video");
