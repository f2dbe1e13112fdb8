// Programs that end during calls.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, describe, test } from "node:test";

import { DevBroker } from "portier-client/testing";

import { silentServer } from "./silent.mjs";

// Of 500 programs, a hundred run in `stores/lifetimes.test.mjs`.
const PROCESSES = (Number(process.env.PORTIER_TEST_PROCESSES ?? 500) * 4) / 5;
const AT_A_TIME = 4;
const HERE = new URL("../..", import.meta.url);

const broker = new DevBroker();
after(() => broker.stop());
const silent = await silentServer();

const PRELUDE = `
  const { PortierClient } = require("portier-client");
  const { PORTIER_TEST_ORIGIN: broker, PORTIER_TEST_IDLE: idle } = process.env;
  const start = (calls = 100, options = {}) => {
    const client = new PortierClient({ redirectUri: "https://example.com/", broker, timeoutMs: 2_000 });
    for (let call = 0; call < (idle ? 0 : calls); call++) client.warm(options).catch(() => {});
    return client;
  };
  const soon = (end) => setTimeout(end, Math.random() * 30);
`;

const BUSY_WORKER = JSON.stringify(
  `${PRELUDE} start(); require("node:worker_threads").parentPort.postMessage("busy");`,
);

// Each program ends with pending calls, at another moment, as it would without any.
const ENDS = {
  "at once": "start(); process.exit(0);",
  "in the next turn": "start(); setImmediate(() => process.exit(0));",
  "after an answer": "start().discover().finally(() => process.exit(0)); setTimeout(() => process.exit(0), 50);",
  "soon": "start(); soon(() => process.exit(0));",
  "with a status of its own": "start(); soon(() => process.exit(7));",
  "without handlers of the end": "start(); soon(() => process.reallyExit(3));",
  "with calls made while it ends": "start(); process.on('exit', () => start()); process.exit(0);",
  "with calls aborted while it ends": `
    const abortion = new AbortController();
    start(100, { signal: abortion.signal });
    process.on("exit", () => abortion.abort());
    soon(() => process.exit(0));`,
  "with clients destroyed before": "start().destroy(); soon(() => process.exit(0));",
  "by an exception": "start(); soon(() => { throw new Error('on purpose'); });",
  "by a rejection": "start(); soon(() => Promise.reject(new Error('on purpose')));",
  "by a signal": "start(); soon(() => process.kill(process.pid, 'SIGTERM'));",
  "by coming to its end": "start(5);",
  "with a worker under way": `
    const { Worker } = require("node:worker_threads");
    new Worker(${BUSY_WORKER}, { eval: true }).on("message", () => process.exit(0));
    start();`,
};

describe("programs end with pending calls as they do without", () => {
  for (const [name, end] of Object.entries(ENDS)) {
    test(name, async () => {
      const count = Math.ceil(PROCESSES / Object.keys(ENDS).length);
      const expected = await run(PRELUDE + end, silent, { PORTIER_TEST_IDLE: "1" });
      const outcomes = await inBatches(count, (number) =>
        // Answers may come at once, or after the end.
        run(PRELUDE + end, number % 2 === 0 ? broker.origin : silent),
      );
      assert.deepEqual(outcomes, Array(count).fill(expected));
      // The only output is that of uncaught exceptions.
      assert.ok(expected.output === "" || expected.output.includes("on purpose"), expected.output);
    });
  }
});

test("workers may load the addon one after the other", async () => {
  const program = `
    const { Worker } = require("node:worker_threads");
    const { once } = require("node:events");
    (async () => {
      for (let round = 0; round < 20; round++) {
        const worker = new Worker(${BUSY_WORKER}, { eval: true });
        await once(worker, "message");
        await worker.terminate();
      }
    })();`;
  for (const origin of [broker.origin, silent]) {
    assert.deepEqual(await run(program, origin), { status: 0, signal: null, output: "" });
  }
});

test("an idle client does not keep the process alive", async () => {
  const program = `${PRELUDE} start(0); start(1).warm().then(() => {});`;
  assert.deepEqual(await run(program, broker.origin), { status: 0, signal: null, output: "" });
});

test("a pending call keeps the process alive", async () => {
  const program = `${PRELUDE} start(0).warm().then(() => console.log("answered"));`;
  assert.equal((await run(program, broker.origin)).output, "answered\n");
});

async function run(program, origin, variables = {}) {
  const child = spawn(process.execPath, ["-e", program], {
    cwd: HERE,
    // Otherwise there would be a warning about a memory store in a worker thread.
    env: { ...process.env, NODE_ENV: "test", PORTIER_TEST_ORIGIN: origin, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
    // On a busy machine, a program may wait for a minute before it runs.
    timeout: 300_000,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  const [status, signal] = await once(child, "close");
  return { status, signal, output };
}

async function inBatches(count, work) {
  const outcomes = [];
  for (let first = 0; first < count; first += AT_A_TIME) {
    const numbers = Array.from({ length: Math.min(AT_A_TIME, count - first) }, (_, n) => first + n);
    outcomes.push(...(await Promise.all(numbers.map(work))));
  }
  return outcomes;
}
