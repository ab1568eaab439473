/** What WHIP says beside offer and answer (RFC 9725): ICE restarts as fragments, servers as Link headers. Pure. */

const lines = (text: string): string[] => text.split(/\r?\n/).filter(Boolean);
const isWord = (line: string): boolean => /^a=ice-(ufrag|pwd):/.test(line);
const isCandidate = (line: string): boolean => line.startsWith("a=candidate:");

/** Our side of a restart: words and candidates of the offer's first section (4.3.2). */
export function fragmentOf(offer: string): string {
  const all = lines(offer);
  const first = all.findIndex((line) => line.startsWith("m="));
  const length = all.slice(first + 1).findIndex((line) => line.startsWith("m="));
  const section = length < 0 ? all.slice(first) : all.slice(first, first + 1 + length);
  const words = all.filter(isWord).slice(0, 2);
  const bundle = all.filter((line) => line.startsWith("a=group:BUNDLE "));
  const mid = section.filter((line) => line.startsWith("a=mid:"));
  return [...bundle, section[0], ...mid, ...words, ...section.filter(isCandidate), "a=end-of-candidates", ""].join("\r\n");
}

/** The answer we have, with the server's new words and candidates (4.3.3). */
export function restartedAnswer(answer: string, fragment: string): string {
  const news = lines(fragment).filter((line) => isWord(line) || isCandidate(line));
  const kept = lines(answer).filter((line) => !isWord(line) && !isCandidate(line) && line !== "a=end-of-candidates");
  return `${kept.flatMap((line) => (line.startsWith("a=mid:") ? [line, ...news] : [line])).join("\r\n")}\r\n`;
}

/** STUN and TURN servers out of Link headers (4.6). */
export function iceServers(link: string | null): RTCIceServer[] {
  return [...(link ?? "").matchAll(/<([^>]+)>((?:\s*;\s*[\w-]+="[^"]*")*)/g)].flatMap(([, urls, rest]) => {
    const parameters = Object.fromEntries([...(rest ?? "").matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
    if (parameters.rel !== "ice-server" || !urls) return [];
    const { username, credential } = parameters;
    return [username !== undefined && credential !== undefined ? { urls, username, credential } : { urls }];
  });
}
