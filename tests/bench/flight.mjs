// Measures many concurrent logins, in one event loop and in several workers; prints JSON. flight.mjs
// [SOCKET_OF_REDIS]
//
// The load of the loop is Node's event loop utilization: the share of time in which it does not wait. A login in the
// memory store completes within the call; one in Redis waits outside of the loop.
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

import { EMAIL, LOGINS, median, REDIRECT_URI, require, rounds, spawnBroker } from "./common.mjs";

const { PortierClient } = require("portier-client");

const ROUNDS = rounds(7);
const IN_FLIGHT = [1, 8, 64, 512];
const WORKERS = [1, 2, 4];

if (isMainThread) await main(process.argv[2]);
else await work(workerData);

async function main(socket) {
  const broker = spawnBroker();
  const in_flight = await measureLoop(broker, {
    memory: undefined,
    ...(socket === undefined ? {} : { redis: `redis+unix://${socket}` }),
  });
  broker.stop();
  console.log(JSON.stringify({ rounds: ROUNDS, in_flight, threads: await measureWorkers() }));
}

async function measureLoop(broker, stores) {
  const clients = Object.entries(stores).map(([name, store]) => [
    name,
    new PortierClient({ redirectUri: REDIRECT_URI, broker: broker.origin, store }),
  ]);
  for (const [, client] of clients) await client.warm();
  const samples = {};
  // The first round only warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, client] of round % 2 ? clients : clients.toReversed()) {
      for (const limit of IN_FLIGHT) {
        const measured = await inFlight(client, broker, limit);
        if (round > 0) ((samples[name] ??= {})[limit] ??= []).push(measured);
      }
    }
  }
  for (const [, client] of clients) client.destroy();
  return mapValues(samples, (limits) => mapValues(limits, medians));
}

/** Microseconds for each half of a login, and the load of the loop. */
async function inFlight(client, broker, limit) {
  const count = Math.max(LOGINS, limit);
  const first = await timed((email) => client.authenticate(email), Array(count).fill(EMAIL), limit);
  const tokens = first.results.map((url) => broker.mint(JSON.stringify({ url })));
  const second = await timed((token) => client.verify(token), tokens, limit);
  if (!second.results.every((email) => email === EMAIL)) throw new Error("a login failed");
  return {
    authenticate: (first.time / count) * 1000,
    verify: (second.time / count) * 1000,
    held: (first.active + second.active) / (first.time + second.time),
  };
}

/** Calls the function for all values, always with this number of calls in flight. */
async function timed(call, values, limit) {
  const results = [];
  const left = values.values();
  const visitor = async () => {
    for (const value of left) results.push(await call(value));
  };
  const start = performance.now();
  const before = performance.eventLoopUtilization();
  await Promise.all(Array.from({ length: limit }, visitor));
  const time = performance.now() - start;
  // The difference of idle times is used, because both figures leave out what the loop does at the moment.
  const { idle } = performance.eventLoopUtilization(before);
  return { results, time, active: Math.max(0, time - idle) };
}

/** Logins per second of workers, each with its own client and store. */
async function measureWorkers() {
  const rates = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const count of WORKERS) {
      const ready = new SharedArrayBuffer(4);
      const share = Math.ceil(LOGINS / count);
      const workers = Array.from(
        { length: count },
        () => new Worker(import.meta.filename, { workerData: { ready, share } }),
      );
      await Promise.all(workers.map(told));
      const done = workers.map(told);
      const start = performance.now();
      Atomics.store(new Int32Array(ready), 0, 1);
      Atomics.notify(new Int32Array(ready), 0);
      await Promise.all(done);
      (rates[count] ??= []).push((share * count * 1000) / (performance.now() - start));
      await Promise.all(workers.map((worker) => worker.terminate()));
    }
  }
  return mapValues(rates, median);
}

function told(worker) {
  return new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

async function work({ ready, share }) {
  const broker = spawnBroker();
  const client = new PortierClient({ redirectUri: REDIRECT_URI, broker: broker.origin });
  const tokens = [];
  for (let number = 0; number <= share; number++) {
    tokens.push(broker.mint(JSON.stringify({ url: await client.authenticate(EMAIL) })));
  }
  // The first login fetches the keys.
  await client.verify(tokens.pop());
  parentPort.postMessage("ready");
  Atomics.wait(new Int32Array(ready), 0, 0);
  for (const token of tokens) await client.verify(token);
  parentPort.postMessage("done");
  broker.stop();
}

function medians(rounds) {
  return Object.fromEntries(
    Object.keys(rounds[0]).map((name) => [name, median(rounds.map((round) => round[name]))]),
  );
}

function mapValues(object, map) {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value)]));
}
