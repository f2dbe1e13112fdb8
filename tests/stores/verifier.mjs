// Verifies one token for each line of input; prints the address or the error's code.
//
// verifier.mjs REDIRECT_URI BROKER STORE
import path from "node:path";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(path.resolve(import.meta.dirname, "../../node/package.json"));
const { PortierClient } = require("portier-client");

const [redirectUri, broker, store] = process.argv.slice(2);
// Many of these programs start at once.
const client = new PortierClient({ redirectUri, broker, store, timeoutMs: 60_000 });
await client.warm();
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  console.log(await client.verify(line).catch((error) => error.code));
}
