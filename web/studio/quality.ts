/** What the connection's statistics mean for a host. Pure. */

export interface Report { type: string; kind?: string; [field: string]: unknown }
export interface Sample { atMs: number; reports: Report[] }

export interface UploadFigures {
  kbps: number; fps: number; height: number; lossPercent: number; rttMs: number;
  /** What the line is thought to hold: the sender's own estimate; 0 while there is none. */
  roomKbps: number;
  /** What holds the encoder back: `cpu` or `bandwidth`. */
  limited: "cpu" | "bandwidth" | null;
  /** For how long in a row: every session begins limited, until the line is known. */
  limitedMs: number;
  /** How the packets travel: `udp host`, `tcp relay`, … */
  way: string | null;
  verdict: "good" | "fair" | "poor";
}

const number = (value: unknown): number => (typeof value === "number" && Number.isFinite(value) ? value : 0);

export function figuresFrom(before: Sample | null, now: Sample, earlier: UploadFigures | null = null): UploadFigures {
  const sent = picture(now, "outbound-rtp");
  const heard = picture(now, "remote-inbound-rtp");
  const bytes = number(sent?.bytesSent) - number(before ? picture(before, "outbound-rtp")?.bytesSent : 0);
  const seconds = before ? (now.atMs - before.atMs) / 1000 : 0;
  const limited = limitOf(sent?.qualityLimitationReason);
  const pair = now.reports.find(({ type, nominated, state }) => type === "candidate-pair" && nominated === true && state === "succeeded");
  const figures = {
    kbps: seconds > 0 ? Math.max(0, Math.round((bytes * 8) / seconds / 1000)) : 0,
    fps: Math.round(number(sent?.framesPerSecond)),
    height: number(sent?.frameHeight),
    lossPercent: Math.round(number(heard?.fractionLost) * 1000) / 10,
    rttMs: Math.round((number(heard?.roundTripTime) || number(pair?.currentRoundTripTime)) * 1000),
    roomKbps: Math.round(number(pair?.availableOutgoingBitrate) / 1000),
    limited,
    limitedMs: limited && limited === earlier?.limited ? earlier.limitedMs + Math.round(seconds * 1000) : 0,
    way: wayOf(now, pair),
  };
  return { ...figures, verdict: verdictOf(figures) };
}

export function verdictOf({ fps, lossPercent, rttMs }: Pick<UploadFigures, "fps" | "lossPercent" | "rttMs">): UploadFigures["verdict"] {
  if (fps < 10 || lossPercent > 8 || rttMs > 800) return "poor";
  return fps < 20 || lossPercent > 2 || rttMs > 300 ? "fair" : "good";
}

const limitOf = (reason: unknown): UploadFigures["limited"] => (reason === "cpu" || reason === "bandwidth" ? reason : null);

function wayOf(sample: Sample, pair: Report | undefined): string | null {
  const local = sample.reports.find(({ type, id }) => type === "local-candidate" && id === pair?.localCandidateId);
  return local ? `${String(local.protocol).toUpperCase()} ${String(local.candidateType)}` : null;
}

const picture = (sample: Sample, type: string): Report | undefined =>
  sample.reports.find((report) => report.type === type && report.kind === "video");
