// Tests of the site: node --test
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";

import { PortierClient } from "portier-client";
import { DevBroker, login, rotatedKeys } from "portier-client/testing";

import { makeApp } from "./app.mjs";

const broker = new DevBroker();
after(() => broker.stop());
// Over plain `http`, as express-session looks at the connection.
const client = new PortierClient({ redirectUri: "http://localhost:8888/verify", broker: broker.origin });
const app = makeApp(client, randomBytes(32).toString("base64url"));

test("members see the shelf", async () => {
  const session = await login(app, "alice@example.com", { next: "/members" });
  assert.match(session.response.text, /The shelf/);
});

test("a login survives new keys of the broker", async () => {
  const session = await rotatedKeys(app, "alice@example.com");
  assert.match((await session.get("/members")).text, /alice@example\.com/);
});
