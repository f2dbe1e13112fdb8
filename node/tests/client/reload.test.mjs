// The package loaded more than once, as test runners and bundlers do.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import vm from "node:vm";

import { PortierClient } from "portier-client";
import { DevBroker } from "portier-client/testing";

const require = createRequire(import.meta.url);

test("50 module resets", async () => {
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

test("another context of vm", async () => {
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
