import { afterEach, expect, test, vi } from "vitest";
import { access, codeSent, end, made, makeToken, needsProof, refusal, withPassword } from "./access";

const refused = (status: number, code: string): Response => new Response(JSON.stringify({ code, status, detail: "" }), { status });

/** A server that gives these answers to writes in turn, and empty lists to whoever reads. */
function answering(...answers: Response[]): { path: string; key: string }[] {
  const asked: { path: string; key: string }[] = [];
  vi.stubGlobal("document", { cookie: "" });
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    if (init.method === "GET") return Response.json({ items: [] });
    asked.push({ path, key: (init.headers as Record<string, string>)["Idempotency-Key"] ?? "" });
    return answers.shift() ?? Response.json({});
  });
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

test("what needs a fresh proof waits for it, and is then done as it was meant, under its own key", async () => {
  const asked = answering(refused(403, "step_up_required"), Response.json({}), Response.json({}), Response.json({ id: "t", name: "Till", token: "ls1.x" }));
  await makeToken("Till", 30);
  expect([needsProof.value, made.value, refusal.value]).toEqual([true, null, null]);
  await withPassword("secret", "");
  expect([codeSent.value, needsProof.value, made.value, refusal.value]).toEqual([true, true, null, null]);
  await withPassword("secret", "123456");
  expect(asked.map(({ path }) => path)).toEqual(["/api/v1/tokens", "/api/v1/session/step-up/code", "/api/v1/session/step-up", "/api/v1/tokens"]);
  expect(asked[3]?.key).toBe(asked[0]?.key);
  expect([needsProof.value, made.value?.token]).toEqual([false, "ls1.x"]);
});

test("a wrong password leaves the wish waiting and says so", async () => {
  const asked = answering(refused(403, "step_up_required"), refused(401, "unauthenticated"));
  await makeToken("Till", 30);
  await withPassword("wrong", "");
  expect([asked.length, needsProof.value, refusal.value !== null]).toEqual([2, true, true]);
});

test("where no mails are sent the password is enough", async () => {
  const asked = answering(refused(403, "step_up_required"), refused(409, "conflict"), Response.json({}), Response.json({ id: "t", name: "Till", token: "ls1.x" }));
  await makeToken("Till", 30);
  await withPassword("secret", "");
  expect(asked.map(({ path }) => path).slice(1)).toEqual(["/api/v1/session/step-up/code", "/api/v1/session/step-up", "/api/v1/tokens"]);
  expect(codeSent.value).toBe(false);
});

test("an ended sign-in is asked for by its id, and the list is read anew", async () => {
  const asked = answering(Response.json({ items: [] }));
  await end("sid1");
  expect(asked).toEqual([{ path: "/api/v1/sessions/sid1", key: "" }]);
  expect(access.state.value.kind).toBe("here");
});
