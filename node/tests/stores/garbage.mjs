// Reports whether stores, clients and exceptions of stores are garbage-collected.
import { PortierClient } from "portier-client";
import { DevBroker } from "portier-client/testing";

import { Plain, Waiting, faulty, logIn, redirectUri } from "./custom.mjs";

const broker = new DevBroker();
const gone = new Set();
const registry = new FinalizationRegistry((name) => gone.add(name));
const expected = [];

function watch(object, name) {
  registry.register(object, name);
  expected.push(name);
  return object;
}

async function make(Kind, round) {
  const store = watch(new Kind(), `${Kind.name} ${round}`);
  // A cycle: the store holds the client.
  store.client = watch(new PortierClient({ redirectUri, broker: broker.origin, store }), `client of ${Kind.name} ${round}`);
  await logIn(store.client, broker);
  if (round === 1) store.client.destroy();
}

async function fail(cold) {
  const error = watch(new Error("thrown"), `thrown ${cold}`);
  const store = faulty("put", () => Promise.reject(error));
  const client = new PortierClient({ redirectUri, broker: broker.origin, store });
  if (!cold) await client.warm();
  await client.authenticate("alice@example.com").catch(() => {});
}

/** An exception after the end of the call is not kept either. */
async function failTooLate() {
  const error = watch(new Error("too late"), "thrown too late");
  let reject;
  const store = faulty("put", () => new Promise((_, late) => (reject = late)));
  const client = new PortierClient({ redirectUri, broker: broker.origin, store });
  await client.warm();
  const abortion = new AbortController();
  const started = client.authenticate("alice@example.com", { signal: abortion.signal }).catch(() => {});
  abortion.abort();
  await started;
  await new Promise(setImmediate);
  reject(error);
}

for (const Kind of [Plain, Waiting]) for (const round of [0, 1]) await make(Kind, round);
for (const cold of [true, false]) await fail(cold);
await failTooLate();

const deadline = Date.now() + 30_000;
while (expected.some((name) => !gone.has(name)) && Date.now() < deadline) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  globalThis.gc();
}
const left = expected.filter((name) => !gone.has(name));
console.log(left.length === 0 ? "all gone" : `left: ${left.join(", ")}`);
broker.stop();
