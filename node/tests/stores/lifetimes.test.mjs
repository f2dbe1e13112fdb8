// Programs and threads that end while stores work, and the lifetime of a store.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { Worker } from "node:worker_threads";

import { PortierClient } from "portier-client";
import { DevBroker } from "portier-client/testing";

import { silentServer } from "../client/silent.mjs";
import { redisServer } from "./servers.mjs";
import { Plain, Waiting, logIn, redirectUri } from "./custom.mjs";

const PROCESSES = Number(process.env.PORTIER_TEST_PROCESSES ?? 500) / 5;
const WORKERS = Number(process.env.PORTIER_TEST_WORKERS ?? 500);
const AT_A_TIME = 4;
const HERE = new URL("../..", import.meta.url);

const broker = new DevBroker();
const folder = mkdtempSync(path.join(tmpdir(), "portier-lifetimes-"));
const sqlite = `sqlite:///${folder}/logins.db?documents=off`;
// Without Redis, one store that hangs remains. Documents are not shared: if a process ended while it fetched them,
// the next one would wait ten seconds for its lease.
const redis = await redisServer();
const urls = [sqlite, (await silentServer()).replace("http", "redis")];
if (redis !== undefined) urls.push(`redis+unix://${redis.socket}?documents=off`);
after(async () => {
  broker.stop();
  await redis?.stop();
  rmSync(folder, { recursive: true });
});

const PRELUDE = `
  const { PortierClient } = require("portier-client");
  const broker = ${JSON.stringify(broker.origin)};
  const wait = () => new Promise(setImmediate);
  const never = () => new Promise(() => {});
  const records = new Map();
  const plain = { put: (nonce, record) => void records.set(nonce, record), take: (nonce) => records.get(nonce) };
  const waiting = { put: async (...given) => { await wait(); plain.put(...given); }, take: async () => null };
  const stuck = { put: never, take: never };
  const throwing = { put() { throw new Error("no"); }, take: never };
  const newClient = (store) => new PortierClient({ redirectUri: "https://example.com/verify", broker, store });
  const start = (urls = ${JSON.stringify(urls)}) => {
    for (const store of [plain, waiting, stuck, throwing, ...urls]) {
      const client = newClient(store);
      for (let call = 0; call < 20; call++) client.authenticate("alice@example.com").catch(() => {});
    }
  };
`;

// Each program ends while stores work, at another moment.
const ENDS = {
  "at once": "start(); process.exit(0);",
  "in the next turn": "start(); setImmediate(() => process.exit(0));",
  "while stores are asked": "start(); setTimeout(() => process.exit(0), 15);",
  "by a store": "start(); newClient({ put() { process.exit(0); }, take() {} }).authenticate('a@example.com');",
  "with calls made while it ends": "start(); process.on('exit', () => start()); process.exit(0);",
};

describe("programs end silently while stores work", () => {
  for (const [name, end] of Object.entries(ENDS)) {
    test(name, async () => {
      const count = Math.ceil(PROCESSES / Object.keys(ENDS).length);
      for (let first = 0; first < count; first += AT_A_TIME) {
        const outcomes = await Promise.all(Array.from({ length: AT_A_TIME }, () => run(PRELUDE + end)));
        assert.deepEqual(outcomes, Array(AT_A_TIME).fill({ status: 0, signal: null, output: "" }));
      }
      await logInEverywhere();
    });
  }
});

test(`workers are terminated at random while stores work: ${WORKERS / 5}`, async () => {
  const program = `${PRELUDE}
    const { parentPort } = require("node:worker_threads");
    (async () => {
      for (let round = 0; ; round++) {
        start(round === 0 ? undefined : []);
        if (round === 0) parentPort.postMessage("busy");
        await wait();
      }
    })();`;
  let seed = 1;
  // Random numbers from a fixed seed, so that a failure can be repeated.
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const terminate = async () => {
    const worker = new Worker(program, { eval: true });
    const failed = once(worker, "error").then(([error]) => Promise.reject(error));
    failed.catch(() => {});
    await Promise.race([once(worker, "message"), failed]);
    const turns = Math.floor(random() * 50);
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
    await worker.terminate();
  };
  for (let number = 0; number < WORKERS / 5; number += AT_A_TIME) {
    await Promise.all(Array.from({ length: AT_A_TIME }, terminate));
  }
  await logInEverywhere();
});

test("an idle client does not keep the process alive", async () => {
  const program = `${PRELUDE}
    globalThis.clients = [plain, waiting, stuck].map(newClient);
    clients[1].authenticate("alice@example.com").then(() => console.log("answered"));`;
  assert.deepEqual(await run(program), { status: 0, signal: null, output: "answered\n" });
});

test("a pending call keeps the process alive until the store timeout", async () => {
  const program = `${PRELUDE}
    newClient(stuck).authenticate("alice@example.com").catch((error) => console.log(error.code));`;
  assert.equal((await run(program)).output, "store_unavailable\n");
});

test("a login aborted while the store works is not completed", async () => {
  for (const Kind of [Plain, Waiting]) {
    const store = new Kind();
    const client = new PortierClient({ redirectUri, broker: broker.origin, store });
    const token = broker.mint({ url: await client.authenticate("alice@example.com") });
    const taken = store.take.bind(store);
    const asked = Promise.withResolvers?.() ?? withResolvers();
    store.take = () => {
      asked.resolve();
      return new Promise(() => {});
    };
    const abortion = new AbortController();
    const login = client.verify(token, { signal: abortion.signal });
    await asked.promise;
    abortion.abort();
    await assert.rejects(login, { name: "AbortError" });
    // The login was not consumed and can still be completed.
    store.take = taken;
    assert.equal(await client.verify(token), "alice@example.com");
  }
});

test("a login aborted at any moment completes at most once", async () => {
  for (const store of urls.filter((url) => !url.startsWith("redis:"))) {
    const client = new PortierClient({ redirectUri, broker: broker.origin, store });
    for (let moment = 0; moment < 25; moment++) {
      const token = broker.mint({ url: await client.authenticate("alice@example.com") });
      const abortion = new AbortController();
      const first = client.verify(token, { signal: abortion.signal }).catch((error) => error);
      for (let turn = 0; turn < moment; turn++) await new Promise(setImmediate);
      abortion.abort();
      const outcomes = [await first, await client.verify(token).catch((error) => error)];
      const [before, then] = outcomes.map((outcome) => outcome.code ?? outcome);
      if (before === "alice@example.com") assert.equal(then, "session_used");
      else {
        assert.equal(outcomes[0].name, "AbortError");
        assert.ok(["alice@example.com", "session_used"].includes(then), then);
      }
    }
  }
});

test("a store may abort its own call", async () => {
  const abortion = new AbortController();
  const store = {
    put() {
      abortion.abort();
      return new Promise(() => {});
    },
    take: () => null,
  };
  const client = new PortierClient({ redirectUri, broker: broker.origin, store });
  await client.warm();
  const started = performance.now();
  await assert.rejects(client.authenticate("alice@example.com", { signal: abortion.signal }), { name: "AbortError" });
  assert.ok(performance.now() - started < 4_900, "it was the deadline of the store that ended the call");
});

test("a client and its store are collected together", { skip: "Bun" in globalThis || "Deno" in globalThis }, () => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--expose-gc", new URL("./garbage.mjs", import.meta.url).pathname],
    { encoding: "utf8", timeout: 60_000 },
  );
  assert.deepEqual([status, stdout], [0, "all gone\n"], stderr);
});

/** Interrupted work of other programs has left the store intact. */
async function logInEverywhere() {
  for (const store of [new Waiting(), ...urls.filter((url) => !url.startsWith("redis:"))]) {
    const client = new PortierClient({ redirectUri, broker: broker.origin, store });
    const token = broker.mint({ url: await client.authenticate("alice@example.com") });
    assert.equal(await client.verify(token), "alice@example.com");
  }
}

function withResolvers() {
  const made = {};
  made.promise = new Promise((resolve) => (made.resolve = resolve));
  return made;
}

async function run(program) {
  const child = spawn(process.execPath, ["-e", program], {
    cwd: HERE,
    stdio: ["ignore", "pipe", "pipe"],
    // On a busy machine, a program may wait for a minute before it runs.
    timeout: 300_000,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  const [status, signal] = await once(child, "close");
  return { status, signal, output };
}
