// Aborted calls.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";

import { mocked } from "./mocked.mjs";

const CALLS = Math.min(Number(process.env.PORTIER_TEST_CALLS ?? 20_000), 20_000);
const KEYS = "https://broker.example/keys.json";

test("an abort ends a waiting call", async () => {
  const { client, transport } = mocked();
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

test("a call with an aborted signal does nothing", async () => {
  const { client, transport } = mocked();
  const reason = new Error("changed my mind");
  await assert.rejects(client.warm({ signal: AbortSignal.abort(reason) }), reason);
  assert.equal(transport.requests("https://broker.example/.well-known/openid-configuration"), 0);
});

test("AbortSignal.timeout ends a call", async () => {
  const { client, transport } = mocked();
  transport.hold();
  await assert.rejects(client.discover({ signal: AbortSignal.timeout(1) }), { name: "TimeoutError" });
  transport.release();
});

// Of many calls in one turn of the loop, the last ones start after the turn.
for (const count of [2, 200]) {
  test(`aborted calls abort no others count=${count}`, async () => {
    const { client, transport } = mocked();
    transport.hold();
    const controller = new AbortController();
    const calls = Array.from({ length: count }, (_, number) =>
      client.discover(number % 2 === 0 ? { signal: controller.signal } : {}),
    );
    const settled = Promise.allSettled(calls);
    controller.abort();
    for (const call of calls.filter((_, number) => number % 2 === 0)) {
      await assert.rejects(call, { name: "AbortError" });
    }
    transport.release();
    const statuses = (await settled).map(({ status }) => status);
    assert.deepEqual(statuses, Array.from({ length: count / 2 }, () => ["rejected", "fulfilled"]).flat());
    assert.equal((await calls[1]).jwks_uri, KEYS);
    assert.equal(transport.requests("https://broker.example/.well-known/openid-configuration"), 1);
  });
}

test("an abort before the login is consumed leaves it pending", async () => {
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

test("an abort after the end has no effect", async () => {
  const { client } = mocked();
  const controller = new AbortController();
  const answer = client.discover({ signal: controller.signal });
  await answer;
  controller.abort();
  assert.equal((await answer).jwks_uri, KEYS);
});

test("a value that is no signal is refused", async () => {
  const { client, transport } = mocked();
  for (const signal of [{}, 1, "now", { aborted: false }, { aborted: false, addEventListener() {} }]) {
    await assert.rejects(client.warm({ signal }), { code: "invalid_option" });
  }
  assert.equal(transport.requests("https://broker.example/.well-known/openid-configuration"), 0);
});

// Test runners may have signals of another realm, or their own class.
test("an object with the methods of a signal is accepted", async () => {
  const { client, transport } = mocked();
  transport.hold();
  let abort;
  const signal = { aborted: false, addEventListener: (_, listener) => (abort = listener), removeEventListener() {} };
  const waiting = client.discover({ signal });
  abort();
  await assert.rejects(waiting, { name: "AbortError" });
  transport.release();
});

test(`waiting calls leave no listener behind: ${CALLS}`, async () => {
  const { client, transport } = mocked();
  const { signal } = new AbortController();
  for (let round = 0; round < 10; round++) {
    transport.hold();
    // This clears the documents, so that calls wait.
    client.leeway = round;
    const calls = Array.from({ length: CALLS / 10 }, () => client.discover({ signal }));
    // Node warns about more than ten listeners.
    assert.equal(getEventListeners(signal, "abort").length, 1);
    transport.release();
    await Promise.all(calls);
    assert.equal(getEventListeners(signal, "abort").length, 0);
  }
});

test("an abort ends all waiting calls with its signal, and no later call", async () => {
  const { client, transport } = mocked();
  transport.hold();
  const controller = new AbortController();
  const { signal } = controller;
  const over = client.discover({ signal });
  transport.release();
  await over;
  client.leeway = 1;
  transport.hold();
  const waiting = Array.from({ length: 20 }, () => client.discover({ signal }));
  controller.abort();
  for (const { reason } of await Promise.allSettled(waiting)) assert.equal(reason.name, "AbortError");
  transport.release();
  await client.discover({ signal: new AbortController().signal });
});
