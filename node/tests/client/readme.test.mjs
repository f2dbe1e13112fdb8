// What the README shows, run.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { PortierClient } from "portier-client";
import { DevBroker } from "portier-client/testing";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const examples = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);
const AsyncFunction = (async () => {}).constructor;

test("a login", async () => {
  const broker = new DevBroker();
  const [code] = examples;
  const printed = [];
  class Client extends PortierClient {
    constructor(options) {
      super({ ...options, broker: broker.origin });
    }
  }
  const body = code
    .replace(/^import .*$/m, "")
    .replace("const login =", "const form = { id_token: broker.mint({ url }) };\nconst login =");
  const names = ["PortierClient", "broker", "console"];
  await new AsyncFunction(...names, body)(Client, broker, { log: (...all) => printed.push(...all) });
  assert.deepEqual(printed, ["alice@example.com", "/members"]);
  broker.stop();
});

test("a test", async () => {
  const body = `${examples[1].replace(/^import .*$/m, "")}\nreturn email;`;
  const email = await new AsyncFunction("PortierClient", "DevBroker", body)(PortierClient, DevBroker);
  assert.equal(email, "alice@example.com");
});
