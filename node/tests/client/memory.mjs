// Prints by how many bytes the heap and the process grow over many calls of every kind.
import { PortierClient, normalize } from "portier-client";
import { DevBroker } from "portier-client/testing";

const calls = Number(process.argv[2]);
const broker = new DevBroker();
// Pending logins expire, so that the store does not grow for a good reason.
const client = new PortierClient({
  redirectUri: "https://example.com/verify",
  broker: broker.origin,
  sessionTtlMs: 1000,
});
await client.warm();
const token = broker.mint({ url: await client.authenticate("alice@example.com") });
await client.verify(token);

// Stores in JavaScript: a synchronous one, an asynchronous one, and one that throws.
const kept = new Map();
const plain = { put: (nonce, record) => void kept.set(nonce, record), take: (nonce) => kept.get(nonce) };
const waiting = { put: async (...given) => plain.put(...given), take: async (nonce) => plain.take(nonce) };
const throwing = {
  put: () => Promise.reject(new Error("no room")),
  take() {
    throw new Error("not now");
  },
};
const written = [plain, waiting, throwing].map(
  (store) => new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin, store }),
);
for (const client of written) await client.warm();

// The first hundred thousand calls let the allocator grow, whatever they do.
await rounds(calls / 2);
const before = measure();
await rounds(calls / 2);
const after = measure();
console.log(
  JSON.stringify({ heap: after.heap - before.heap, resident: after.resident - before.resident }),
);
broker.stop();

async function rounds(count) {
  for (let call = 0; call < count; call += 4) {
    await client.authenticate("alice@example.com").catch(() => {});
    await client.verify(token).catch(() => {});
    await client.complete({ id_token: "a.b.c", state: "" }).catch(() => {});
    normalize("Alice@Example.com");
    if (call % 40 === 0) {
      for (const client of written) {
        await client.authenticate("alice@example.com").catch(() => {});
        await client.verify(token).catch(() => {});
      }
      kept.clear();
    }
    // Some calls that have to wait, with a client that is collected afterwards.
    if (call % 4000 === 0) {
      const fresh = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
      await Promise.all([fresh.warm(), fresh.warm({ signal: new AbortController().signal })]);
    }
  }
}

function measure() {
  for (let round = 0; round < 5; round++) globalThis.gc();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, resident: rss };
}
