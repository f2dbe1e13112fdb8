// Tests of the site: node --test
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";

import { PortierClient } from "portier-client";
import { cancelled, DevBroker, login } from "portier-client/testing";

import { makeApp } from "./app.mjs";

const broker = new DevBroker();
after(() => broker.stop());
const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
const app = makeApp(client, randomBytes(32).toString("base64url"));

test("members see the shelf", async () => {
  const session = await login(app, "alice@example.com", { next: "/members" });
  assert.match(session.response.text, /The shelf/);
});

test("somebody who cancels can start again", async () => {
  const { response } = await cancelled(app, "alice@example.com");
  assert.equal(response.status, 403);
  assert.match(response.text, /Start again/);
});
