// Programs that replace the time of JavaScript: the library uses the system's clock.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { PortierClient } from "portier-client";
import { DevBroker } from "portier-client/testing";

const redirectUri = "https://example.com/verify";
const broker = new DevBroker();
after(() => broker.stop());

/** Stops every clock of JavaScript at `now`, like fake timers, during a function. */
async function at(now, work) {
  const { Date: RealDate, setTimeout, setInterval, setImmediate, queueMicrotask } = globalThis;
  const { hrtime } = process;
  const performanceNow = performance.now;
  class FakeDate extends RealDate {
    constructor(...given) {
      super(...(given.length === 0 ? [now] : given));
    }
    static now() {
      return now;
    }
  }
  const never = () => ({ unref() {}, ref() {} });
  const fakes = { Date: FakeDate, setTimeout: never, setInterval: never, setImmediate: never, queueMicrotask: never };
  Object.assign(globalThis, fakes);
  process.hrtime = Object.assign(() => [0, 0], { bigint: () => 0n });
  performance.now = () => 0;
  try {
    return await work();
  } finally {
    Object.assign(globalThis, { Date: RealDate, setTimeout, setInterval, setImmediate, queueMicrotask });
    process.hrtime = hrtime;
    performance.now = performanceNow;
  }
}

describe("mocked time of JavaScript does not change the result", () => {
  for (const [name, now] of [["1970", 0], ["2100", 4_102_444_800_000], ["no time at all", NaN]]) {
    test(name, async () => {
      const client = new PortierClient({ redirectUri, broker: broker.origin });
      await at(now, async () => {
        // Cold and warm, also with timers that never fire.
        for (let round = 0; round < 2; round++) {
          const token = broker.mint({ url: await client.authenticate("alice@example.com") });
          const { issuedAt } = await client.complete({ id_token: token });
          assert.ok(issuedAt.getTime() > 1_700_000_000_000 && issuedAt.getTime() < 4_000_000_000_000);
        }
        const url = await client.authenticate("alice@example.com");
        // It was valid in 1970, and it is not yet valid in 2100.
        for (const [claims, code] of [
          [{ iat: 0, exp: 600 }, "token_expired"],
          [{ iat: 4_102_444_800, exp: 4_102_445_400 }, "token_not_yet_valid"],
        ]) {
          await assert.rejects(client.verify(broker.mint({ url, claims })), { code });
        }
      });
    });
  }

  test("a store that never answers fails without timers of JavaScript", async () => {
    const client = new PortierClient({ redirectUri, broker: broker.origin, store: { put: () => new Promise(() => {}), take() {} } });
    const waiting = at(0, () => client.authenticate("alice@example.com"));
    await assert.rejects(waiting, { code: "store_unavailable" });
  });
});
