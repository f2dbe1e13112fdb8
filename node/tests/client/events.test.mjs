// Events on the channel `portier-client`.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, afterEach, test } from "node:test";
import { Worker } from "node:worker_threads";

import { PortierClient } from "portier-client";
import { DevBroker } from "portier-client/testing";

const CHANNEL = "portier-client";
const folder = mkdtempSync(path.join(tmpdir(), "portier-events-"));
const broker = new DevBroker();
broker.keyId();
after(() => {
  broker.stop();
  rmSync(folder, { recursive: true });
});

const newClient = (options) =>
  new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin, ...options });

const subscribers = [];
afterEach(() => subscribers.splice(0).forEach((subscriber) => unsubscribe(CHANNEL, subscriber)));

/** Collects events until the end of the test, and may call a function for each. */
function listen(atEach = () => {}) {
  const events = [];
  const subscriber = (event, name) => {
    assert.equal(name, CHANNEL);
    events.push(event);
    atEach(event);
  };
  subscribers.push(subscriber);
  subscribe(CHANNEL, subscriber);
  return events;
}

async function logInTwice(client) {
  const token = broker.mint({ url: await client.authenticate("alice@example.com") });
  await client.verify(token);
  await assert.rejects(client.verify(token), { code: "session_used" });
}

const names = (events) => events.map(({ level, message }) => `${level} ${message}`);

test("events of a login have level, name and fields", async () => {
  const events = listen();
  await logInTwice(newClient());
  const inOrder = ["debug login started", "debug login completed", "info login refused"];
  assert.deepEqual(names(events).filter((name) => !name.includes("document")), inOrder);
  assert.deepEqual(events.find(({ message }) => message === "document fetched").fields, {
    document: "discovery",
    unchanged: false,
    lifetime_seconds: 86_400,
    failures: 0,
  });
  assert.deepEqual(events.at(-1), {
    level: "info",
    message: "login refused",
    fields: { operation: "complete", code: "session_used", error: "the login was completed before" },
  });
});

test("an event is published before the answer of its call", async () => {
  const events = listen();
  const clients = [newClient(), newClient({ store: `sqlite:///${path.join(folder, "logins.db")}` })];
  for (const client of clients) {
    for (let number = 0; number < 20; number++) {
      await client.authenticate("alice@example.com", { signal: new AbortController().signal });
      assert.equal(names(events).pop(), "debug login started");
      events.length = 0;
    }
  }
});

test("a failed fetch is a warning with the backoff", async () => {
  const events = listen();
  const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: "http://127.0.0.1:1" });
  await assert.rejects(client.warm(), { code: "broker_unreachable" });
  const { level, fields } = events.find(({ message }) => message === "document not fetched");
  assert.equal(level, "warn");
  assert.equal(fields.code, "broker_unreachable");
  assert.ok(fields.pause_seconds >= 0.5 && fields.pause_seconds <= 1);
});

test("only subscribers of the channel get events", async () => {
  const client = newClient();
  const before = listen();
  await client.warm();
  unsubscribe(CHANNEL, subscribers.pop());
  const count = before.length;
  await logInTwice(client);
  assert.equal(before.length, count);
  const events = listen();
  await client.authenticate("alice@example.com");
  assert.deepEqual(names(events), ["debug login started"]);
});

test("a subscriber may use the client", async () => {
  const other = newClient();
  await other.warm();
  const calls = [];
  let asked = 0;
  const events = listen(() => {
    // Each call causes an event as well, so the number of calls is limited.
    if (asked++ < 20) calls.push(other.authenticate("bob@example.com"));
  });
  await logInTwice(newClient());
  const urls = await Promise.all(calls);
  assert.equal(urls.length, 20);
  assert.ok(events.length >= 20);
});

test("a worker gets events of its own clients only", async () => {
  const events = listen();
  const program = `
    const { subscribe } = require("node:diagnostics_channel");
    const { parentPort, workerData } = require("node:worker_threads");
    const { PortierClient } = require("portier-client");
    const heard = [];
    subscribe("portier-client", ({ message }) => heard.push(message));
    const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: workerData });
    parentPort.once("message", async () => {
      await client.authenticate("alice@example.com");
      parentPort.postMessage(heard);
    });
    parentPort.postMessage("ready");
  `;
  const worker = new Worker(program, { eval: true, workerData: broker.origin });
  await once(worker, "message");
  await newClient().warm();
  const own = events.length;
  worker.postMessage("go");
  const [heard] = await once(worker, "message");
  assert.deepEqual(heard, ["document fetched", "login started"]);
  assert.equal(events.length, own);
  await worker.terminate();
});

test("subscribed workers may be terminated with pending calls", async () => {
  const program = `
    const { subscribe } = require("node:diagnostics_channel");
    const { parentPort, workerData } = require("node:worker_threads");
    const { PortierClient } = require("portier-client");
    subscribe("portier-client", () => {});
    parentPort.postMessage("busy");
    (async () => {
      for (;;) {
        const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: workerData });
        for (let call = 0; call < 20; call++) client.warm().catch(() => {});
        await new Promise(setImmediate);
      }
    })();
  `;
  for (let number = 0; number < 12; number++) {
    const worker = new Worker(program, { eval: true, workerData: broker.origin });
    if (number % 3 > 0) await once(worker, "message");
    for (let turn = 0; turn < number * 7; turn++) await new Promise(setImmediate);
    await worker.terminate();
  }
  const events = listen();
  await newClient().warm();
  assert.deepEqual(names(events), Array(2).fill("debug document fetched"));
});

test("a subscription does not keep the process alive", () => {
  const program = `
    const { subscribe } = require("node:diagnostics_channel");
    const { PortierClient } = require("portier-client");
    subscribe("portier-client", ({ message }) => console.log(message));
    const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: ${JSON.stringify(broker.origin)} });
    client.warm();
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", program], {
    cwd: import.meta.dirname,
    encoding: "utf8",
    timeout: 30_000,
  });
  assert.deepEqual([status, stdout, stderr], [0, "document fetched\ndocument fetched\n", ""]);
});
