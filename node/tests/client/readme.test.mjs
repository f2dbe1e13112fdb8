// The examples of the README.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import cookieParser from "cookie-parser";
import express from "express";
import { PortierClient } from "portier-client";
import { cookieFlags, portier } from "portier-client/express";
import { DevBroker } from "portier-client/testing";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const examples = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);
const AsyncFunction = (async () => {}).constructor;

test("the login of the README", async () => {
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

test("the site of the README", async () => {
  const client = new PortierClient({ redirectUri: "http://localhost/verify" });
  const body = `${examples[1].replaceAll(/^import .*$/gm, "")}\nreturn app;`;
  const names = ["randomBytes", "cookieParser", "express", "cookieFlags", "portier", "client"];
  const site = new AsyncFunction(...names, body);
  const app = await site(randomBytes, cookieParser, express, cookieFlags, portier, client);
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  const headers = { Connection: "close" };
  const answers = [
    await fetch(`${url}/verify`, { headers }),
    await fetch(`${url}/login`, { method: "POST", headers, body: new URLSearchParams({ email: "x" }) }),
  ];
  server.close();
  assert.deepEqual(answers.map(({ status }) => status), [405, 400]);
});

test("the test of the README", async () => {
  const body = `${examples[2].replace(/^import .*$/m, "")}\nreturn email;`;
  const email = await new AsyncFunction("PortierClient", "DevBroker", body)(PortierClient, DevBroker);
  assert.equal(email, "alice@example.com");
});
