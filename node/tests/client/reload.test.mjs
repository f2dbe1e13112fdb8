// The package loaded more than once, as by test runners and bundlers.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import vm from "node:vm";

import * as portier from "portier-client";
import { PortierClient } from "portier-client";
import { DevBroker } from "portier-client/testing";

const require = createRequire(import.meta.url);

test("a client works after 50 module resets", async () => {
  const broker = new DevBroker();
  const before = require("portier-client");
  for (let round = 0; round < 50; round++) {
    for (const path of Object.keys(require.cache)) {
      if (/[/\\]dist[/\\]/.test(path)) delete require.cache[path];
    }
    const copy = require("portier-client");
    assert.notEqual(copy.PortierClient, before.PortierClient);
    const options = { redirectUri: "https://example.com/verify", broker: broker.origin };
    const client = new copy.PortierClient(options);
    const token = broker.mint({ url: await client.authenticate("alice@example.com") });
    assert.equal(await client.verify(token), "alice@example.com");
    await assert.rejects(client.verify(token), (error) => error instanceof before.SessionUsed);
    const shared = new copy.PortierClient({ ...options, store: new before.MemoryStore() });
    await shared.authenticate("alice@example.com");
  }
  broker.stop();
});

test("a client works in another context of vm", async () => {
  const broker = new DevBroker();
  const context = vm.createContext({ PortierClient, origin: broker.origin, broker, URLSearchParams });
  const email = await vm.runInContext(
    `(async () => {
      const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: origin });
      const url = await client.authenticate("alice@example.com", { session: "/" });
      const form = { id_token: [broker.mint({ url })] };
      return (await client.complete(form)).email;
    })()`,
    context,
  );
  assert.equal(email, "alice@example.com");
  broker.stop();
});

test("a client works with another copy of the addon", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "portier-copy-"));
  const broker = new DevBroker();
  cpSync(new URL("../../dist", import.meta.url), folder, { recursive: true });
  const copy = require(path.join(folder, "index.js"));
  const options = { redirectUri: "https://example.com/verify", broker: broker.origin };
  for (const [mine, other] of [[portier, copy], [copy, portier]]) {
    // Calls of both copies wait at the same time, each in the runtime of its own copy.
    const clients = [mine, other].flatMap(({ PortierClient }) => [new PortierClient(options), new PortierClient(options)]);
    const urls = await Promise.all(clients.map((client) => client.authenticate("alice@example.com")));
    const emails = await Promise.all(clients.map((client, number) => client.verify(broker.mint({ url: urls[number] }))));
    assert.deepEqual(new Set(emails), new Set(["alice@example.com"]));

    await assert.rejects(clients[0].verify("x"), (error) => error instanceof other.InvalidToken);
    // The store of a client belongs to one addon, or waits for promises in the runtime of the addon.
    const redis = { set: async () => "OK", getDel: async () => null, strLen: async () => 0 };
    for (const store of [clients[0].store, new mine.RedisStore(redis)]) {
      assert.ok(store instanceof other[store.constructor.name]);
      assert.throws(() => new other.PortierClient({ ...options, store }), {
        code: "invalid_option",
        message: "store was made by another copy of portier-client than the client",
      });
    }
    // A store that is an object with methods belongs to no copy.
    const store = new mine.RedisClientStore(redis);
    assert.match(await new other.PortierClient({ ...options, store }).authenticate("alice@example.com"), /^http:/);
  }
  broker.stop();
  rmSync(folder, { recursive: true });
});
