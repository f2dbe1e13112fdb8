// A site that is frozen between requests, like a cloud function; run by `frozen.test.mjs`.
import { createInterface } from "node:readline";

import { PortierClient } from "portier-client";

const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: process.argv[2] });
await client.warm();
console.log(await client.authenticate("alice@example.com"));
for await (const token of createInterface({ input: process.stdin })) {
  const outcome = await client.verify(token).catch((error) => `${error.code} ${error.cause}`);
  const { discovery, keys } = client.stats();
  console.log(JSON.stringify([outcome, discovery.failures + keys.failures]));
  break;
}
process.stdin.destroy();
