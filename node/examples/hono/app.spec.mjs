// Tests of the site, with Vitest: npx vitest run
import { randomBytes } from "node:crypto";

import { PortierClient } from "portier-client";
import { DevBroker, freezeTime, login, otherBrowser } from "portier-client/testing";
import { afterAll, afterEach, expect, test, vi } from "vitest";

import { makeApp } from "./app.mjs";

const broker = new DevBroker();
afterAll(() => broker.stop());
afterEach(() => vi.useRealTimers());
const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
const app = makeApp(client, randomBytes(32).toString("base64url"));

test("members see the shelf", async () => {
  const session = await login(app, "alice@example.com", { next: "/members" });
  expect(session.response.text).toContain("The shelf");
  const page = await app.request("/members", { headers: { cookie: session.cookie } });
  expect(await page.text()).toContain("alice@example.com");
});

test("a member who opens the mail on a phone is asked there", async () => {
  const phone = await otherBrowser(app, "alice@example.com", { next: "/members" });
  expect(phone.response.text).toContain("on this device?");
  await phone.confirm();
  expect(phone.response.text).toContain("The shelf");
});

test("a session ends after two weeks without a visit", async () => {
  vi.useFakeTimers();
  const clock = freezeTime(Date.now(), { timers: vi });
  const session = await login(app, "alice@example.com");
  clock.tick(14 * 24 * 60 * 60 * 1000);
  expect((await session.get("/members")).status).toBe(303);
  clock.resume();
});
