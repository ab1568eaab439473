import { afterEach, expect, test, vi } from "vitest";
import type { Approval } from "../lib/shapes";
import { Deciding } from "./ctrl";

const approval: Approval = { id: "ap_1", state: "requested", minor: "m", minor_name: "M", lines: [], total: { amount: 1, currency: "EUR" }, payee: "demo", ship_to: { name: "", street: "", postal_code: "", city: "", country: "DE" }, digest: "d1", expires_at: 0 };

const refusal = (status: number, code: string): Response => new Response(JSON.stringify({ code, status, detail: "" }), { status });

/** A server that gives these answers in turn and keeps what it was asked. */
function answering(...answers: Response[]): { path: string; body: unknown; key: string }[] {
  const asked: { path: string; body: unknown; key: string }[] = [];
  vi.stubGlobal("document", { cookie: "" });
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    asked.push({ path, body: JSON.parse(String(init.body)), key: (init.headers as Record<string, string>)["Idempotency-Key"] ?? "" });
    return answers.shift() ?? Response.json({});
  });
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

test("what is approved is what was shown: the digest goes along", async () => {
  const asked = answering(Response.json({ ...approval, state: "approved" }));
  const deciding = new Deciding(approval);
  await deciding.approve("pm_ok");
  expect(asked[0]).toMatchObject({ path: "/api/v1/approvals/ap_1/approve", body: { digest: "d1", payment: { method: "card", token: "pm_ok" } } });
  expect(deciding.outcome.value?.state).toBe("approved");
});

test("a missing step-up asks for password and code, then makes the decision as it was meant, under a new key", async () => {
  const asked = answering(refusal(403, "step_up_required"), Response.json({}), Response.json({}), Response.json({ ...approval, state: "approved" }));
  const deciding = new Deciding(approval);
  await deciding.approve("pm_ok");
  expect([deciding.needsPassword.value, deciding.refusal.value, deciding.outcome.value]).toEqual([true, null, null]);
  await deciding.confirm("secret", "", "pm_ok");
  expect([deciding.needsPassword.value, deciding.stepUp.coded.value, deciding.outcome.value]).toEqual([true, true, null]);
  await deciding.confirm("secret", "123456", "pm_ok");
  const step = "/api/v1/session/step-up";
  expect(asked.map(({ path }) => path)).toEqual(["/api/v1/approvals/ap_1/approve", `${step}/code`, step, "/api/v1/approvals/ap_1/approve"]);
  expect(asked[2]?.body).toEqual({ password: "secret", code: "123456" });
  expect(asked[3]?.key).not.toBe(asked[0]?.key);
  expect(deciding.outcome.value?.state).toBe("approved");
});

test("a wrong password decides nothing", async () => {
  const asked = answering(refusal(403, "step_up_required"), refusal(401, "unauthenticated"));
  const deciding = new Deciding(approval);
  await deciding.approve("pm_ok");
  await deciding.confirm("wrong", "", "pm_ok");
  expect([asked.length, deciding.needsPassword.value, deciding.outcome.value]).toEqual([2, true, null]);
});

test("a double tap is one decision", async () => {
  const asked = answering(Response.json({ ...approval, state: "declined" }));
  const deciding = new Deciding(approval);
  await Promise.all([deciding.decline(), deciding.decline(), deciding.approve("pm_ok")]);
  expect(asked).toHaveLength(1);
});

test("taking consent back asks nothing but the request, and its answer is what the page shows", async () => {
  const asked = answering(Response.json({ ...approval, state: "revoked" }));
  const listed = { ...approval, state: "approved" };
  const deciding = new Deciding(listed);
  expect(deciding.latest(listed).state).toBe("approved");
  await deciding.revoke();
  expect(asked[0]).toMatchObject({ path: "/api/v1/approvals/ap_1/revoke", body: {} });
  expect(deciding.latest(listed).state).toBe("revoked");
});

test("a longer hold leaves the decision open; what the list says later is newer", async () => {
  answering(Response.json({ ...approval, may_extend: false }));
  const deciding = new Deciding({ ...approval, may_extend: true });
  await deciding.extend();
  expect([deciding.latest(approval).state, deciding.latest(approval).may_extend]).toEqual(["requested", false]);
  expect(deciding.latest({ ...approval, state: "superseded" }).state).toBe("superseded");
});
