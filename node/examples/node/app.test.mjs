// Tests of the site: node --test
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";

import { PortierClient } from "portier-client";
import { brokerDown, DevBroker, login } from "portier-client/testing";

import { makeApp } from "./app.mjs";

const broker = new DevBroker();
after(() => broker.stop());
const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
const app = makeApp(client, randomBytes(32).toString("base64url"));

test("members see the shelf", async () => {
  const session = await login(app, "alice@example.com", { next: "/members" });
  assert.match(session.response.text, /The shelf/);
});

test("a login waits while the broker is down", async (t) => {
  const logged = t.mock.method(console, "error", () => {});
  const session = await brokerDown(app, "alice@example.com", { next: "/members" });
  assert.equal(session.response.status, 503);
  assert.equal(logged.mock.callCount(), 1);
  await session.reload();
  assert.match(session.response.text, /The shelf/);
});
