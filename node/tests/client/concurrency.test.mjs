// Many concurrent calls.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { PortierClient, SessionUsed } from "portier-client";
import { DevBroker } from "portier-client/testing";

const broker = new DevBroker();
after(() => broker.stop());
const fresh = () =>
  new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });

test("200 cold logins make one discovery and one keys request", async () => {
  const own = new DevBroker();
  const client = new PortierClient({
    redirectUri: "https://example.com/verify",
    broker: own.origin,
  });
  const logIn = async (number) => {
    const url = await client.authenticate(`a${number}@example.com`);
    return client.verify(own.mint({ url }));
  };
  const emails = await Promise.all(Array.from({ length: 200 }, (_, number) => logIn(number)));
  assert.deepEqual(emails, Array.from({ length: 200 }, (_, number) => `a${number}@example.com`));
  const requests = own.requests();
  assert.equal(requests["/.well-known/openid-configuration"], 1);
  assert.equal(requests["/keys.json"], 1);
  own.stop();
});

test("each of 600 concurrent calls gets its own answer", async () => {
  const own = new DevBroker();
  const options = { redirectUri: "https://example.com/verify", broker: own.origin };
  const first = new PortierClient(options);
  const addresses = Array.from({ length: 600 }, (_, number) => `a${number}@example.com`);
  const tokens = [];
  for (const address of addresses) tokens.push(own.mint({ url: await first.authenticate(address) }));
  own.hold("/keys.json");
  const cold = new PortierClient({ ...options, store: first.store });
  const waiting = tokens.map((token) => cold.verify(token));
  own.release("/keys.json");
  assert.deepEqual(await Promise.all(waiting), addresses);
  own.stop();
});

for (const warm of [true, false]) {
  test(`exactly one of 64 concurrent verify calls succeeds warm=${warm}`, async () => {
    const client = fresh();
    const token = broker.mint({ url: await client.authenticate("alice@example.com") });
    if (warm) await client.warm();
    const verifies = Array.from({ length: 64 }, () => client.verify(token));
    const settled = await Promise.allSettled(verifies);
    const rejected = settled.filter(({ status }) => status === "rejected");
    assert.equal(rejected.length, 63);
    for (const { reason } of rejected) assert.ok(reason instanceof SessionUsed);
  });
}

test("clients share a store", async () => {
  const [first, second] = [fresh(), fresh()];
  const shared = new PortierClient({
    redirectUri: "https://example.com/verify",
    broker: broker.origin,
    store: first.store,
  });
  const token = broker.mint({ url: await first.authenticate("alice@example.com") });
  await assert.rejects(second.verify(token), { code: "session_unknown" });
  assert.equal(await shared.verify(token), "alice@example.com");
});

test("a call that need not wait is answered in the same turn of the event loop", async () => {
  const client = fresh();
  await client.warm();
  const token = broker.mint({ url: await client.authenticate("alice@example.com") });
  let turns = 0;
  const next = setImmediate(() => turns++);
  await client.verify(token);
  await client.authenticate("alice@example.com");
  assert.equal(turns, 0);
  clearImmediate(next);
});

test("the event loop runs while calls wait", async () => {
  const own = new DevBroker();
  own.hold("/.well-known/openid-configuration");
  const client = new PortierClient({
    redirectUri: "https://example.com/verify",
    broker: own.origin,
  });
  const waiting = client.warm();
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  own.release("/.well-known/openid-configuration");
  await waiting;
  own.stop();
});
