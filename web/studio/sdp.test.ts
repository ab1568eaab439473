import { expect, test } from "vitest";
import { fragmentOf, iceServers, restartedAnswer } from "./sdp";

const sdp = (ufrag: string, port: number): string =>
  ["v=0", "a=group:BUNDLE 0 1", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", `a=candidate:1 1 udp 1 127.0.0.1 ${port} typ host`, `a=ice-ufrag:${ufrag}`, "a=ice-pwd:secret", "a=setup:active", "m=video 9 UDP/TLS/RTP/SAVPF 102", "a=mid:1", `a=ice-ufrag:${ufrag}`, "a=ice-pwd:secret", ""].join("\r\n");

test("a restart's fragment has the first section's words and candidates, and nothing of the media", () => {
  expect(fragmentOf(sdp("abcd", 9)).split("\r\n")).toEqual(["a=group:BUNDLE 0 1", "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=ice-ufrag:abcd", "a=ice-pwd:secret", "a=candidate:1 1 udp 1 127.0.0.1 9 typ host", "a=end-of-candidates", ""]);
});

test("the answer takes the new words in every section, and only the new candidates", () => {
  const answer = restartedAnswer(sdp("old1", 9), "m=audio 9 X 0\r\na=mid:0\r\na=ice-ufrag:new1\r\na=ice-pwd:other\r\na=candidate:2 1 udp 1 10.0.0.1 7 typ host\r\na=end-of-candidates\r\n");
  expect(answer.match(/ice-ufrag:new1/g)).toHaveLength(2);
  expect(answer).not.toMatch(/old1|127\.0\.0\.1|secret/);
  expect(answer).toContain("a=setup:active");
});

test("servers are read from Link headers, with their passwords, and other links are none", () => {
  const link = '<stun:a.example:3478>; rel="ice-server", <turn:b.example?transport=udp>; rel="ice-server"; username="u"; credential="p"; credential-type="password", <https://c.example/x>; rel="next"';
  expect(iceServers(link)).toEqual([{ urls: "stun:a.example:3478" }, { urls: "turn:b.example?transport=udp", username: "u", credential: "p" }]);
  expect(iceServers(null)).toEqual([]);
});
