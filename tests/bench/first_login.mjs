// Measures the first login of a process: `first_login.mjs BROKER` prints the URL of the login, reads its token, and
// prints JSON.
import { once } from "node:events";
import { createInterface } from "node:readline";

import { EMAIL, REDIRECT_URI, require } from "./common.mjs";
import { residentBytes } from "./resident.mjs";

const lines = createInterface({ input: process.stdin });
// Loads what the measurement itself needs: the streams of Node, and the code that reads the memory.
process.stdout.write("");
residentBytes();

const bare = residentBytes();
// Only now, to measure the memory without it before.
const { PortierClient } = require("portier-client");
const client = new PortierClient({ redirectUri: REDIRECT_URI, broker: process.argv[2] });
let start = performance.now();
const url = await client.authenticate(EMAIL);
let spent = performance.now() - start;
console.log(url);
const [token] = await once(lines, "line");
start = performance.now();
await client.verify(token);
spent += performance.now() - start;
lines.close();
const added_bytes = residentBytes() - bare;
console.log(JSON.stringify({ seconds: spent / 1000, bare_bytes: bare, added_bytes }));
client.destroy();
