// Tests of the site: node --test
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, test } from "node:test";

import { PortierClient } from "portier-client";
import { DevBroker, login, otherBrowser } from "portier-client/testing";

import { makeApp } from "./app.mjs";

const broker = new DevBroker();
const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
const app = await makeApp(client, randomBytes(32).toString("base64url"));
after(async () => {
  await app.close();
  broker.stop();
});

test("the shelf is for members", async () => {
  const { statusCode, headers } = await app.inject("/members");
  assert.deepEqual([statusCode, headers.location], [303, "/login?next=%2Fmembers"]);
});

test("members log in, and out again", async () => {
  const session = await login(app, "alice@example.com", { page: "/login?next=/members" });
  assert.match(session.response.text, /The shelf/);
  const members = await app.inject({ url: "/members", headers: { cookie: session.cookie } });
  assert.match(members.payload, /alice@example\.com/);
  await session.submit("/logout");
  assert.equal((await session.get("/members")).status, 303);
});

test("a member who opens the mail on a phone is asked there", async () => {
  const phone = await otherBrowser(app, "alice@example.com", { next: "/members" });
  assert.match(phone.response.text, /Sign in as .*alice@example\.com.* on this device\?/);
  await phone.confirm();
  assert.match(phone.response.text, /The shelf/);
});
