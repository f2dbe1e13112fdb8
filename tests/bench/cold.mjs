// Measures logins without the broker's documents in the cache; prints JSON.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { EMAIL, median, REDIRECT_URI, require, rounds, spawnBroker } from "./common.mjs";

const { PortierClient } = require("portier-client");

const ROUNDS = rounds(7);
const CROWD = Number(process.env.CROWD ?? 1000);

const FIRST_LOGIN = fileURLToPath(new URL("first_login.mjs", import.meta.url));

const broker = spawnBroker();
const [crowds, processes] = [[], []];
for (let round = 0; round < ROUNDS; round++) {
  crowds.push(await crowd());
  processes.push(await newProcess());
}
broker.stop();
const of = (samples, name) => samples.map((sample) => sample[name]);
console.log(
  JSON.stringify({
    rounds: ROUNDS,
    first_login_seconds: median(of(processes, "seconds")),
    bare_bytes: median(of(processes, "bare_bytes")),
    added_bytes: median(of(processes, "added_bytes")),
    crowd: CROWD,
    crowd_seconds: median(of(crowds, "seconds")),
    crowd_requests: Math.max(...of(crowds, "requests")),
    worst_gap_seconds: median(of(crowds, "worst_gap_seconds")),
  }),
);

/** The figures of a new process for its first login. */
async function newProcess() {
  const child = spawn(process.execPath, [FIRST_LOGIN, broker.origin], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const [url] = await once(lines, "line");
  child.stdin.end(`${broker.mint(JSON.stringify({ url }))}\n`);
  const [result] = await once(lines, "line");
  await once(child, "exit");
  return JSON.parse(result);
}

/** Many concurrent logins that one client completes without documents in its cache. */
async function crowd() {
  const records = new Map();
  const store = {
    put: (nonce, record) => void records.set(nonce, record),
    take(nonce) {
      const record = records.get(nonce);
      records.delete(nonce);
      return record ?? null;
    },
    contains: (nonce) => records.has(nonce),
  };
  const options = { redirectUri: REDIRECT_URI, broker: broker.origin, store };
  const starter = new PortierClient(options);
  const tokens = [];
  for (let number = 0; number < CROWD; number++) {
    tokens.push(broker.mint(JSON.stringify({ url: await starter.authenticate(EMAIL) })));
  }
  starter.destroy();
  const before = requests();
  const client = new PortierClient(options);
  const gap = watch();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const start = performance.now();
  const emails = await Promise.all(tokens.map((token) => client.verify(token)));
  const seconds = (performance.now() - start) / 1000;
  // If the loop is blocked until the end, no time was measured.
  await new Promise((resolve) => setImmediate(resolve));
  const worst_gap_seconds = gap();
  client.destroy();
  if (!emails.every((email) => email === EMAIL)) throw new Error("a login failed");
  return { seconds, worst_gap_seconds, requests: requests() - before };
}

function requests() {
  return Object.values(broker.requests()).reduce((sum, count) => sum + count, 0);
}

/** Measures the longest time in which the loop runs nothing else, until the function is called. */
function watch() {
  let [worst, last, stopped] = [0, performance.now(), false];
  const beat = () => {
    const now = performance.now();
    worst = Math.max(worst, now - last);
    last = now;
    if (!stopped) setImmediate(beat);
  };
  setImmediate(beat);
  return () => {
    stopped = true;
    return worst / 1000;
  };
}
