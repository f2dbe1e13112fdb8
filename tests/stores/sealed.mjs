// Starts and completes logins that are sealed; one line of JSON for each line of input.
// A text is the address of a login to start, a list has callbacks to complete at once.
//
// sealed.mjs REDIRECT_URI BROKER FLOW SECRET [STORE]
import path from "node:path";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(path.resolve(import.meta.dirname, "../../node/package.json"));
const { PortierClient } = require("portier-client");

const browser = "the secret of a browser";
const [redirectUri, broker, flow, secret, store] = process.argv.slice(2);
// Many of these programs start at once.
const client = new PortierClient({ redirectUri, broker, flow, secret, store, timeoutMs: 60_000 });
await client.warm();
console.log("ready");
const complete = (form) => client.complete(form, { browser }).then(({ email }) => email, ({ code }) => code);
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const answer =
    typeof asked === "string" ? client.authenticate(asked, { browser }) : Promise.all(asked.map(complete));
  console.log(JSON.stringify(await answer));
}
