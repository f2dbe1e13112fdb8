// Only waiting calls are rejected if something fails in the background.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

import { mocked } from "./mocked.mjs";

const HERE = new URL("../..", import.meta.url);
const DISCOVERY = "https://broker.example/.well-known/openid-configuration";

async function unhandledIn(work) {
  const unhandled = [];
  const note = (reason) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  await work();
  // Node emits the event after the turn.
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  process.off("unhandledRejection", note);
  return unhandled;
}

test("a failed background refresh causes no rejection", async () => {
  const { client, clock, transport } = mocked();
  const unhandled = await unhandledIn(async () => {
    await client.discover();
    transport.fail(DISCOVERY);
    for (let hour = 0; hour < 20; hour++) {
      clock.advance(3_600_000);
      // The last good document is returned meanwhile.
      await client.discover();
    }
    const deadline = performance.now() + 30_000;
    while (client.stats().discovery.failures === 0 && performance.now() < deadline) {
      await new Promise(setImmediate);
      clock.advance(1);
      await client.discover();
    }
    assert.ok(client.stats().discovery.failures > 0);
  });
  assert.deepEqual(unhandled, []);
});

test("aborted calls and calls of collected clients cause no unhandled rejection", async () => {
  const unhandled = await unhandledIn(async () => {
    for (const end of ["abort", "fail"]) {
      const { client, transport } = mocked();
      transport.hold();
      const abortion = new AbortController();
      const { signal } = abortion;
      const calls = [client.warm({ signal }), client.authenticate("alice@example.com", { signal }), client.keys()];
      const settled = Promise.allSettled(calls);
      if (end === "abort") {
        abortion.abort();
        await Promise.allSettled(calls.slice(0, 2));
      } else transport.fail(DISCOVERY);
      client.destroy();
      transport.release();
      const names = (await settled).map(({ reason }) => reason?.name);
      const expected = end === "abort" ? "AbortError" : "BrokerUnavailable";
      assert.deepEqual(names, [expected, expected, "BrokerUnavailable"]);
    }
  });
  assert.deepEqual(unhandled, []);
});

test("an unhandled call causes exactly one rejection", () => {
  const program = `
    const { PortierClient } = require("portier-client");
    const reasons = [];
    process.on("unhandledRejection", (reason) => reasons.push(reason.code));
    const client = new PortierClient({ redirectUri: "https://example.com/", broker: "http://127.0.0.1:1" });
    client.warm();
    client.verify("x");
    client.authenticate("nobody", { signal: new AbortController().signal });
    process.on("beforeExit", () => console.log(reasons.sort().join(" ")));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", program], { cwd: HERE, encoding: "utf8" });
  assert.deepEqual([status, stdout, stderr], [0, "broker_unreachable invalid_email token_malformed\n", ""]);
});
