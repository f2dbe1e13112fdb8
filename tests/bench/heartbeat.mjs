// Measures how long many waiting verifications block the event loop; prints JSON.
//
// A timer fires once a millisecond on the loop. A gap is the time between two timer events. Everything above a
// millisecond was time for which the loop was blocked. `idle` is the gap without any work. On a busy machine,
// `processor` tells more: it is the processor time of the loop's thread between two beats. Only Linux reports it.
import { readFileSync } from "node:fs";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";

import { require, rounds } from "./common.mjs";

const { PortierClient } = require("portier-client");
const { DevBroker } = require("portier-client/testing");

const CALLS = Number(process.env.CROWD ?? 1000);
// As many requests as a server gets between two turns of its loop.
const AT_A_TIME = 10;
const ROUNDS = Math.min(rounds(7), 7);
const BEAT_MS = 1;
const WHILE_MS = 300;
const KEYS = "/keys.json";

const broker = new DevBroker({ mode: "accept" });
broker.keyId();
const all = [];
for (let round = 0; round < ROUNDS; round++) all.push(await roundOf());
broker.stop();
const summary = { calls: CALLS, requests: 2, rounds: ROUNDS };
for (const phase of Object.keys(all[0])) {
  summary[phase] = {};
  for (const [number, clock] of ["wall", "processor"].entries()) {
    const gaps = all.map((gaps) => gaps[phase][number]).sort((a, b) => a - b);
    summary[phase][clock] = { median: rounded(gaps[ROUNDS >> 1]), worst: rounded(gaps.at(-1)) };
  }
}
console.log(JSON.stringify({ worst_gap_milliseconds: summary }));

/** The worst gaps of one cold client. */
async function roundOf() {
  const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
  const before = broker.requests();
  const tokens = [];
  for (let number = 0; number < CALLS; number++) {
    tokens.push(broker.mint({ url: await client.authenticate(`u${number}@example.com`) }));
  }
  const calls = [];
  const start = async () => {
    for (const token of tokens) {
      calls.push(client.verify(token));
      if (calls.length % AT_A_TIME === 0) await turn();
    }
  };
  const answer = async () => {
    broker.release(KEYS);
    await Promise.all(calls);
  };
  globalThis.gc?.();
  broker.hold(KEYS);
  const gaps = {
    idle: await worst(() => sleep(WHILE_MS)),
    while_they_start: await worst(start),
    while_they_wait: await worst(() => sleep(WHILE_MS)),
    while_they_are_answered: await worst(answer),
  };
  const asked = Object.entries(broker.requests()).map(([path, count]) => count - (before[path] ?? 0));
  if (asked.reduce((sum, count) => sum + count) !== 2) throw new Error(`more than two requests: ${asked}`);
  return gaps;
}

/** The longest gap between two beats during the work, and the most processor time in one gap; in milliseconds. */
async function worst(during) {
  let longest = [0, 0];
  let last = clocks();
  const heart = setInterval(() => {
    const now = clocks();
    longest = longest.map((gap, clock) => Math.max(gap, now[clock] - last[clock]));
    last = now;
  }, BEAT_MS);
  await sleep(BEAT_MS * 5);
  longest = [0, 0];
  await during();
  // The last gap ends with the next beat.
  await sleep(BEAT_MS * 2);
  clearInterval(heart);
  return longest;
}

/** Elapsed time and processor time. */
function clocks() {
  if (process.platform !== "linux") return [performance.now(), NaN];
  // The first number is nanoseconds of this thread.
  const [used] = readFileSync("/proc/thread-self/schedstat", "utf8").split(" ");
  return [performance.now(), Number(used) / 1e6];
}

function rounded(milliseconds) {
  return Math.round(milliseconds * 100) / 100;
}
