// Logins with a custom store in JavaScript.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { ConfigError, PortierClient } from "portier-client";
import { DevBroker } from "portier-client/testing";

import { KINDS, Plain, Waiting, logIn, redirectUri } from "./custom.mjs";

const broker = new DevBroker();
after(() => broker.stop());
const newClient = (store, options) =>
  new PortierClient({ redirectUri, broker: broker.origin, store, ...options });

for (const Kind of KINDS) {
  describe(Kind.name, () => {
    test("a login completes with a custom store", async () => {
      const store = new Kind();
      const client = newClient(store, { sessionTtlMs: 90_500 });
      assert.equal(client.store, store);
      for (let round = 0; round < 3; round++) await logIn(client, broker);
      const plain = store.plain ?? store;
      assert.equal(plain.records.size, 0);
      assert.deepEqual(plain.ttls, [90_500, 90_500, 90_500]);
      assert.equal(client.stats().pending, null);
    });

    test("many logins complete concurrently", async () => {
      const client = newClient(new Kind());
      await Promise.all(Array.from({ length: 50 }, () => logIn(client, broker)));
    });

    test("a login is stored when a slow broker answers", async () => {
      const discovery = "/.well-known/openid-configuration";
      const client = newClient(new Kind());
      broker.hold(discovery);
      const start = client.authenticate("alice@example.com");
      await new Promise(setImmediate);
      broker.release(discovery);
      const token = broker.mint({ url: await start });
      assert.equal(await client.verify(token), "alice@example.com");
    });

    test("clients share a custom store", async () => {
      const store = new Kind();
      const url = await newClient(store).authenticate("alice@example.com");
      assert.equal(await newClient(store).verify(broker.mint({ url })), "alice@example.com");
    });

    test("settings can be changed while a login is pending", async () => {
      const client = newClient(new Kind());
      const url = await client.authenticate("alice@example.com");
      client.leewayMs = 1000;
      assert.equal(await client.verify(broker.mint({ url })), "alice@example.com");
    });
  });
}

test("a synchronous store needs no turn of the event loop", async () => {
  const client = newClient(new Plain());
  await client.warm();
  let turns = 0;
  setImmediate(() => turns++);
  const url = await client.authenticate("alice@example.com");
  assert.equal(await client.verify(broker.mint({ url })), "alice@example.com");
  assert.equal(turns, 0);
});

test("a store may use its own client", async () => {
  for (const cold of [true, false]) {
    let depth = 0;
    class Using extends Waiting {
      async put(...given) {
        if (depth++ < 3) {
          await client.authenticate("bob@example.com");
          await client.warm();
        }
        await super.put(...given);
      }
    }
    class UsingAtOnce extends Plain {
      put(...given) {
        if (depth++ < 3) started.push(client.authenticate("bob@example.com"));
        super.put(...given);
      }
    }
    const started = [];
    let client;
    for (const Kind of [Using, UsingAtOnce]) {
      depth = 0;
      client = newClient(new Kind());
      if (!cold) await client.warm();
      const url = await client.authenticate("alice@example.com");
      assert.equal(await client.verify(broker.mint({ url })), "alice@example.com");
    }
    assert.equal((await Promise.all(started)).length, 3);
  }
});

test("forged tokens cause no request if the store has contains", async () => {
  const requests = async (store) => {
    const client = newClient(store);
    const url = await client.authenticate("alice@example.com");
    await client.warm();
    const forged = broker.mint({ url, key: "stranger", nonce: "never-drawn" });
    // A key set is not fetched again in its first second.
    await setTimeout(1000);
    await assert.rejects(client.verify(forged), { code: "token_key_unknown" });
    return client.stats().keys.requests;
  };
  for (const Kind of KINDS) assert.equal(await requests(new Kind()), 1);
  // Without `contains`, only the limit of one request in five seconds applies.
  assert.equal(await requests({ put() {}, take() {} }), 2);
});

test("a value that is no store is refused", () => {
  class Half {
    put() {}
  }
  const plain = new Plain();
  plain.contains = null;
  for (const wrong of [new Half(), Plain, 1, Buffer.from("memory:"), { put: 1, take: 1 }, plain]) {
    assert.throws(() => newClient(wrong), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.code, "invalid_option");
      return true;
    });
  }
});
