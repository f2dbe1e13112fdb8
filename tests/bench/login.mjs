// Measures awaited logins against the bare verification of the same signatures, and against other packages; prints
// JSON. `make bench` builds what it measures; ROUNDS and LOGINS in the environment change the amount.
import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import path from "node:path";

import { CodeCallbacks, FormCallbacks } from "./callbacks.mjs";
import { EMAIL, inTurn, LOGINS, median, PACKAGE, REDIRECT_URI, require, rounds, spawnBroker } from "./common.mjs";
import { measureModes } from "./modes.mjs";
import { makePeers, makePortier } from "./peers.mjs";

const { PortierClient } = require("portier-client");

const ROUNDS = rounds(45);
const REQUIRE_ROUNDS = Math.min(21, ROUNDS);

const broker = spawnBroker();
const client = new PortierClient({ redirectUri: REDIRECT_URI, broker: broker.origin });
await client.warm();
const peers = await makePeers(broker.origin, client.clientId);
const portier = makePortier(broker.origin, REDIRECT_URI);
const callbacks = new FormCallbacks(broker, client);
const codes = await CodeCallbacks.of(broker);
const samples = await measure();
const modes = await measureModes(broker, ROUNDS);
portier.destroy();
broker.stop();
const figures = Object.fromEntries(
  Object.entries(samples).map(([name, times]) => [
    name,
    {
      microseconds: median(times) * 1000,
      ratio: median(times.map((time, round) => time / samples.bare[round])),
      to_verify: median(times.map((time, round) => time / samples.verify[round])),
    },
  ]),
);
console.log(
  JSON.stringify({
    node: process.version,
    rounds: ROUNDS,
    logins_per_round: LOGINS,
    ...figures,
    modes,
    require_milliseconds: requireTime(),
    package_bytes: packageSize(),
  }),
);

/** Runs all measures in every round, so that a busy moment of the machine affects all of them. */
async function measure() {
  const samples = {};
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, time] of Object.entries(await oneRound(round))) {
      // The first round only warms up.
      if (round > 0) (samples[name] ??= []).push(time / LOGINS);
    }
  }
  return samples;
}

async function oneRound(round) {
  const emails = Array(LOGINS).fill(EMAIL);
  const [urls, theirUrls] = [[], []];
  const times = await inTurn(round, {
    authenticate: () => timed((email) => client.authenticate(email), emails, urls),
    portier_authenticate: () => timed((email) => portier.authenticate(email), emails, theirUrls),
  });
  const [tokens, theirTokens] = [urls, theirUrls].map((all) =>
    all.map((url) => broker.mint(JSON.stringify({ url }))),
  );
  const forms = await callbacks.forms(LOGINS);
  const verifiers = Object.entries(peers).map(([name, verify]) => [name, () => timed(verify, tokens)]);
  return {
    ...times,
    ...(await inTurn(round, {
      bare: async () => broker.timeSignatures(tokens),
      verify: () => timed((token) => client.verify(token), tokens),
      callback: () => timed(callbacks.answer, forms),
      callback_posted_again: () => timed(callbacks.postAgain, forms),
      callback_code: () => codes.time(LOGINS),
      session_read: async () => codes.timeSessions(LOGINS),
      portier: () => timed((token) => portier.verify(token), theirTokens),
      ...Object.fromEntries(verifiers),
    })),
  };
}

/** Milliseconds for one call after the other; promises are awaited. */
async function timed(call, values, results = []) {
  const start = performance.now();
  const first = call(values[0]);
  if (first instanceof Promise) {
    results.push(await first);
    for (let index = 1; index < values.length; index++) results.push(await call(values[index]));
  } else {
    results.push(first);
    for (let index = 1; index < values.length; index++) results.push(call(values[index]));
  }
  return performance.now() - start;
}

/** The time of a process that requires the package, minus that of an empty one. */
function requireTime() {
  const times = Array.from({ length: REQUIRE_ROUNDS }, () => [
    processTime(""),
    processTime("require('portier-client')"),
  ]);
  return {
    bare_node: median(times.map(([bare]) => bare)),
    on_top: median(times.map(([bare, full]) => full - bare)),
  };
}

function processTime(program) {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, ["-e", program], { cwd: PACKAGE });
  if (status !== 0) throw new Error("the program failed");
  return performance.now() - start;
}

function packageSize() {
  const { stdout } = spawnSync("npm", ["pack", "--dry-run", "--json"], {
    cwd: PACKAGE,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  const [{ size, unpackedSize }] = JSON.parse(stdout);
  const dist = path.join(PACKAGE, "dist");
  const addon = readdirSync(dist).find((name) => name.endsWith(".node"));
  return { packed: size, unpacked: unpackedSize, addon: statSync(path.join(dist, addon)).size };
}
