// Tests of the site: node --test
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";

import { PortierClient } from "portier-client";
import { DevBroker, login, replayed } from "portier-client/testing";

import { makeApp } from "./app.mjs";

const broker = new DevBroker();
after(() => broker.stop());
const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
const app = await makeApp(client, randomBytes(32).toString("base64url"));

test("members see the shelf", async () => {
  const session = await login(app, "alice@example.com", { next: "/members" });
  assert.match(session.response.text, /The shelf/);
});

test("an answer of the broker that somebody has copied signs nobody in", async () => {
  const thief = await replayed(app, "alice@example.com");
  assert.equal((await thief.get("/members")).status, 303);
});
