// Measures awaited logins against the bare verification of the same signatures, and against Node's
// own; prints JSON. `make bench` builds what it measures.
import { createPublicKey, verify as verifySignature } from "node:crypto";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { readdirSync, statSync } from "node:fs";
import path from "node:path";

const PACKAGE = path.resolve(import.meta.dirname, "../../node");
const require = createRequire(path.join(PACKAGE, "package.json"));
const { PortierClient } = require("portier-client");
const { native } = require("./dist/native.js");

const ROUNDS = 45;
const LOGINS = 200;
const REQUIRE_ROUNDS = 21;

const broker = native.spawnDevBroker(0, "page", 86_400_000, undefined);
const client = new PortierClient({ redirectUri: "http://localhost:8888/verify", broker: broker.origin });
await client.warm();
const keys = await publicKeys();
const samples = await measure();
broker.stop();
const figures = Object.fromEntries(
  Object.entries(samples).map(([name, times]) => [
    name,
    {
      microseconds: median(times) * 1000,
      ratio: median(times.map((time, round) => time / samples.bare[round])),
    },
  ]),
);
console.log(
  JSON.stringify({
    node: process.version,
    rounds: ROUNDS,
    logins_per_round: LOGINS,
    ...figures,
    verify_to_node_crypto: median(samples.verify.map((time, round) => time / samples.node_crypto[round])),
    require_milliseconds: requireTime(),
    package_octets: packageSize(),
  }),
);

/** Every round takes all measures, so that a busy moment of the machine meets all of them. */
async function measure() {
  const samples = { bare: [], node_crypto: [], verify: [], authenticate: [] };
  await oneRound(0);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, time] of Object.entries(await oneRound(round))) {
      samples[name].push(time / LOGINS);
    }
  }
  return samples;
}

async function oneRound(round) {
  const urls = [];
  const authenticate = await time(async () => {
    for (let login = 0; login < LOGINS; login++) {
      urls.push(await client.authenticate("alice@example.com"));
    }
  });
  const tokens = urls.map((url) => broker.mint(JSON.stringify({ url })));
  const measures = {
    bare: async () => broker.timeSignatures(tokens),
    node_crypto: () => time(() => tokens.forEach(verifyWithNode)),
    verify: () =>
      time(async () => {
        for (const token of tokens) await client.verify(token);
      }),
  };
  const times = { authenticate };
  // Each measure comes first in some rounds.
  const names = Object.keys(measures);
  for (let turn = 0; turn < names.length; turn++) {
    const name = names[(turn + round) % names.length];
    times[name] = await measures[name]();
  }
  return times;
}

async function publicKeys() {
  const { jwks_uri } = await client.discover();
  const set = await (await fetch(jwks_uri)).json();
  return new Map(
    set.keys.map((jwk) => [jwk.kid, createPublicKey({ format: "jwk", key: jwk })]),
  );
}

/** The least a verifier on Node's own crypto has to do: take apart, find the key, check. */
function verifyWithNode(token) {
  const [header, payload, signature] = token.split(".");
  const { kid } = JSON.parse(Buffer.from(header, "base64url"));
  const message = Buffer.from(`${header}.${payload}`);
  if (!verifySignature("sha256", message, keys.get(kid), Buffer.from(signature, "base64url"))) {
    throw new Error("the signature does not hold");
  }
}

/** The time of a process that requires the package, less that of one that does not. */
function requireTime() {
  const rounds = Array.from({ length: REQUIRE_ROUNDS }, () => [
    processTime(""),
    processTime("require('portier-client')"),
  ]);
  return {
    bare_node: median(rounds.map(([bare]) => bare)),
    on_top: median(rounds.map(([bare, full]) => full - bare)),
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

async function time(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
