// The verdicts of npm's jose: a line with the options, then a line for each token and its key set.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../node/package.json", import.meta.url));
const { createLocalJWKSet, jwtVerify } = require("jose");

let setting;
for await (const line of createInterface({ input: process.stdin })) {
  if (setting === undefined) {
    const { now, options } = JSON.parse(line);
    setting = { ...options, currentDate: new Date(now * 1000) };
    continue;
  }
  const [token, keySet] = JSON.parse(line);
  let verdict = "accepted";
  try {
    await jwtVerify(token, createLocalJWKSet(JSON.parse(keySet)), setting);
  } catch (error) {
    verdict = `${error.code ?? error.name}: ${error.message.split("\n")[0]}`;
  }
  console.log(JSON.stringify(verdict));
}
