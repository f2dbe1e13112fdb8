// Worker threads, each with its own environment.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

import { PortierClient } from "portier-client";
import { DevBroker } from "portier-client/testing";

import { silentServer } from "./silent.mjs";

const WORKERS = Number(process.env.PORTIER_TEST_WORKERS ?? 500);
const AT_A_TIME = 4;

const broker = new DevBroker();
after(() => broker.stop());
const silent = await silentServer();

const PROGRAM = new URL("./worker.mjs", import.meta.url);
const start = (data) => new Worker(PROGRAM, { workerData: data });

test("several workers log in concurrently", async () => {
  const workers = Array.from({ length: 8 }, (_, number) =>
    start({ task: "log in", origin: broker.origin, email: `a${number}@example.com` }),
  );
  const exits = Promise.all(workers.map((worker) => once(worker, "exit")));
  const answers = await Promise.all(workers.map(async (worker) => (await once(worker, "message"))[0]));
  assert.deepEqual(answers, workers.map((_, number) => `a${number}@example.com`));
  await exits;
});

test("a client works after a worker has ended", async () => {
  const client = new PortierClient({
    redirectUri: "https://example.com/verify",
    broker: broker.origin,
  });
  const token = broker.mint({ url: await client.authenticate("alice@example.com") });
  await once(start({ task: "log in", origin: broker.origin, email: "bob@example.com" }), "exit");
  assert.equal(await client.verify(token), "alice@example.com");
});

test(`workers are terminated at random with pending calls: ${WORKERS}`, async () => {
  let seed = 1;
  // Random numbers from a fixed seed, so that a failure can be repeated.
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const terminate = async (number) => {
    const origin = number % 2 === 0 ? broker.origin : silent;
    const worker = start({ task: "be busy", origin });
    const failed = once(worker, "error").then(([error]) => Promise.reject(error));
    failed.catch(() => {});
    // Some workers never reach their first call, others are in the middle of many.
    if (number % 5 !== 0) await Promise.race([once(worker, "message"), failed]);
    const turns = Math.floor(random() * 50);
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
    await worker.terminate();
  };
  for (let first = 0; first < WORKERS; first += AT_A_TIME) {
    await Promise.all(Array.from({ length: AT_A_TIME }, (_, number) => terminate(first + number)));
  }
  const client = new PortierClient({
    redirectUri: "https://example.com/verify",
    broker: broker.origin,
  });
  const token = broker.mint({ url: await client.authenticate("alice@example.com") });
  assert.equal(await client.verify(token), "alice@example.com");
});

test("workers may be the only users of the addon", async () => {
  const program = fileURLToPath(new URL("./environments.mjs", import.meta.url));
  const rounds = Math.max(4, WORKERS / 25);
  // Otherwise there would be a warning about a memory store in a worker thread.
  const env = { ...process.env, NODE_ENV: "test" };
  const child = spawn(process.execPath, [program, String(rounds)], { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  const [status, signal] = await once(child, "close");
  assert.deepEqual({ status, signal, output }, { status: 0, signal: null, output: "" });
});
