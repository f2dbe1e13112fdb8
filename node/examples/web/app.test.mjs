// Tests of the site: node --test
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";

import { PortierClient } from "portier-client";
import { DevBroker, expired, freezeTime, login } from "portier-client/testing";

import { makeApp } from "./app.mjs";

const broker = new DevBroker();
after(() => broker.stop());
const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
const app = makeApp(client, randomBytes(32).toString("base64url"));

test("members see the shelf", async () => {
  const session = await login(app, "alice@example.com", { next: "/members" });
  const page = await app.fetch(new Request("https://example.com/members", { headers: { cookie: session.cookie } }));
  assert.match(await page.text(), /The shelf/);
});

test("an answer that comes too late signs nobody in", async () => {
  const session = await expired(app, "alice@example.com");
  assert.equal(session.response.status, 400);
  assert.equal((await session.get("/members")).status, 303);
});

test("a session ends after two weeks without a visit", async (t) => {
  const clock = freezeTime();
  t.after(() => clock.resume());
  const session = await login(app, "alice@example.com");
  clock.tick(14 * 24 * 60 * 60 * 1000);
  assert.equal((await session.get("/members")).status, 303);
});
