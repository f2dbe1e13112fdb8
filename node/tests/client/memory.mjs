// Prints by how many octets the heap and the process grow over many calls of every kind.
import { PortierClient, normalize } from "portier-client";
import { DevBroker } from "portier-client/testing";

const calls = Number(process.argv[2]);
const broker = new DevBroker();
// What is pending expires, so that the store does not grow for the right reason.
const client = new PortierClient({
  redirectUri: "https://example.com/verify",
  broker: broker.origin,
  sessionTtlMs: 1000,
});
await client.warm();
const token = broker.mint({ url: await client.authenticate("alice@example.com") });
await client.verify(token);

await rounds(calls / 5);
const before = measure();
await rounds((calls * 4) / 5);
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
    // Some that have to wait, with a client that is gone afterwards.
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
