// Calls that are given up.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";

import { canned } from "./canned.mjs";

const KEYS = "https://broker.example/keys.json";

test("an abort while a call waits ends it", async () => {
  const { client, transport } = canned();
  transport.hold();
  const controller = new AbortController();
  const waiting = client.authenticate("alice@example.com", { signal: controller.signal });
  assert.equal(getEventListeners(controller.signal, "abort").length, 1);
  controller.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  assert.equal(client.stats().pending, 0);
  transport.release();
});

test("an aborted signal starts nothing", async () => {
  const { client, transport } = canned();
  const reason = new Error("changed my mind");
  await assert.rejects(client.warm({ signal: AbortSignal.abort(reason) }), reason);
  assert.equal(transport.requests("https://broker.example/.well-known/openid-configuration"), 0);
});

test("a timeout is one", async () => {
  const { client, transport } = canned();
  transport.hold();
  await assert.rejects(client.discover({ signal: AbortSignal.timeout(1) }), { name: "TimeoutError" });
  transport.release();
});

test("an aborted call aborts no other", async () => {
  const { client, transport } = canned();
  transport.hold();
  const controller = new AbortController();
  const aborted = client.discover({ signal: controller.signal });
  const other = client.discover();
  controller.abort();
  await assert.rejects(aborted, { name: "AbortError" });
  transport.release();
  assert.equal((await other).jwks_uri, KEYS);
  assert.equal(transport.requests("https://broker.example/.well-known/openid-configuration"), 1);
});

test("an abort before the login is consumed leaves it to be completed", async () => {
  const { DevBroker } = await import("portier-client/testing");
  const { PortierClient } = await import("portier-client");
  const broker = new DevBroker();
  broker.hold("/keys.json");
  const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
  const token = broker.mint({ url: await client.authenticate("alice@example.com") });
  const controller = new AbortController();
  const waiting = client.verify(token, { signal: controller.signal });
  controller.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  broker.release("/keys.json");
  assert.equal(await client.verify(token), "alice@example.com");
  broker.stop();
});

test("an abort after the end changes nothing", async () => {
  const { client } = canned();
  const controller = new AbortController();
  const answer = client.discover({ signal: controller.signal });
  await answer;
  controller.abort();
  assert.equal((await answer).jwks_uri, KEYS);
});

test("10,000 calls leave no listener behind", async () => {
  const { client } = canned();
  const { signal } = new AbortController();
  const calls = Array.from({ length: 10_000 }, () => client.discover({ signal }));
  await Promise.all(calls);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});
