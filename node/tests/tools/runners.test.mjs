// Test runners, which load the package into their own contexts, and a tool that watches modules.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { LIMIT_MS, makeSite, run } from "./site.mjs";

const require = createRequire(import.meta.url);
const options = { timeout: 2 * LIMIT_MS };
// Of a test of a project. The runners' own limit is five seconds, of which a busy machine may need more for a login.
const TEST_TIMEOUT = "--testTimeout=60000";

// The tests of a project; the headers below define where the names come from.
const CHECKS = `
const redirectUri = "https://example.com/verify";

async function logIn(options, { PortierClient } = portier) {
  const broker = new DevBroker();
  try {
    const client = new PortierClient({ redirectUri, broker: broker.origin, ...options });
    const { signal } = new AbortController();
    const url = await client.authenticate("alice@example.com", { session: "/members", signal });
    const form = new URLSearchParams({ id_token: broker.mint({ url }), state: "" });
    const { email, session } = await client.complete(form, { signal });
    expect([email, session]).toEqual(["alice@example.com", "/members"]);
    return await client.complete(form).catch((error) => error);
  } finally {
    broker.stop();
  }
}

test("a login completes once", async () => {
  const error = await logIn();
  expect(error).toBeInstanceOf(portier.SessionUsed);
  expect(error).toBeInstanceOf(portier.PortierError);
  expect(error).toBeInstanceOf(Error);
  expect(error.code).toBe("session_used");
});

test("a login completes with a store of the project", async () => {
  const records = new Map();
  const put = async (nonce, record) => void records.set(nonce, record);
  const take = async (nonce) => {
    const record = records.get(nonce);
    records.delete(nonce);
    return record;
  };
  await logIn({ store: { put, take } });
});

test("a store that throws is a store error", async () => {
  const failure = new TypeError("the disk is full");
  const put = () => {
    throw failure;
  };
  const broker = new DevBroker();
  const client = new portier.PortierClient({ redirectUri, broker: broker.origin, store: { put, take() {} } });
  const error = await client.authenticate("alice@example.com").catch((error) => error);
  broker.stop();
  expect(error).toBeInstanceOf(portier.StoreError);
  expect(error.cause).toBe(failure);
});

test("invalid options are refused", async () => {
  expect(() => new portier.PortierClient({ redirectUri: "nowhere" })).toThrow(portier.ConfigError);
});

test("a login completes with fake timers", async () => {
  runner.useFakeTimers({ now: 0 });
  try {
    await logIn();
  } finally {
    runner.useRealTimers();
  }
});
`;
const RESETS = `
test("a login completes after a module reset", async () => {
  runner.resetModules();
  const again = await load();
  expect(again.PortierClient).not.toBe(portier.PortierClient);
  expect(await logIn({}, again)).toBeInstanceOf(portier.SessionUsed);
  expect(await logIn()).toBeInstanceOf(again.PortierError);
});
`;
const JEST_CJS = `
const portier = require("portier-client");
const { DevBroker } = require("portier-client/testing");
const runner = jest;
const load = () => require("portier-client");
${CHECKS}${RESETS}`;
const JEST_ESM = `
import * as portier from "portier-client";
import { DevBroker } from "portier-client/testing";
const runner = import.meta.jest;
const load = () => import("portier-client");
${CHECKS}${RESETS}`;
const VITEST = `
import * as portier from "portier-client";
import { DevBroker } from "portier-client/testing";
import { expect, test, vi as runner } from "vitest";
${CHECKS}`;

/** Runs the tests of a project, which has two test files. */
function runsTests(t, extension, tests, program, args, flags = []) {
  const site = makeSite(t);
  writeFileSync(path.join(site.folder, "package.json"), '{ "private": true }');
  for (const name of ["one", "other"]) writeFileSync(path.join(site.folder, `${name}.test.${extension}`), tests);
  const report = path.join(site.folder, "report.json");
  const { status, stdout, stderr } = run(program, args(report), { cwd: site.folder, flags });
  // Vitest says what failed in its report only.
  assert.equal(status, 0, [stdout, stderr, existsSync(report) ? readFileSync(report, "utf8") : ""].join(""));
  const { numPassedTests, numTotalTests } = JSON.parse(readFileSync(report, "utf8"));
  assert.equal(numPassedTests, 2 * tests.match(/^test\(/gm).length);
  assert.equal(numTotalTests, numPassedTests);
}

const JEST = {
  "CommonJS": ["cjs", JEST_CJS, []],
  "ECMAScript modules": ["mjs", JEST_ESM, ["--experimental-vm-modules", "--no-warnings"]],
};
for (const [format, [extension, tests, flags]] of Object.entries(JEST)) {
  test(`a project with Jest tests its logins: ${format}`, options, (t) => {
    const config = {
      cacheDirectory: "<rootDir>/cache",
      testMatch: [`<rootDir>/*.test.${extension}`],
      transform: {},
    };
    // Both files in one process, each in its own context.
    const args = ["--ci", "--runInBand", "--watchman=false", TEST_TIMEOUT, "--config", JSON.stringify(config), "--json"];
    const program = require.resolve("jest/bin/jest");
    runsTests(t, extension, tests, program, (report) => [...args, "--outputFile", report], flags);
  });
}

const POOLS = {
  threads: [],
  forks: [],
  vmThreads: [],
  "vmThreads with jsdom": ["--environment=jsdom"],
};
for (const [pool, more] of Object.entries(POOLS)) {
  test(`a project with Vitest tests its logins: ${pool}`, options, (t) => {
    const args = ["run", "--root=.", `--pool=${pool.split(" ")[0]}`, "--no-cache", TEST_TIMEOUT, "--reporter=json", ...more];
    const program = path.join(path.dirname(require.resolve("vitest/package.json")), "vitest.mjs");
    runsTests(t, "mjs", VITEST, program, (report) => [...args, `--outputFile=${report}`]);
  });
}

const TRACKER = `
import { register } from "node:module";
import { Hook } from "import-in-the-middle";

register("import-in-the-middle/hook.mjs", import.meta.url);
globalThis.seen = [];
new Hook(["portier-client"], { internals: true }, (exported, name) => {
  seen.push(name.split(/[/\\\\]/).join("/"));
  const { PortierClient } = exported;
  if (PortierClient === undefined) return;
  exported.PortierClient = class extends PortierClient {
    async authenticate(...given) {
      const url = await super.authenticate(...given);
      seen.push("authenticate");
      return url;
    }
  };
});
`;
const TRACKED = `
import portier, { PortierClient, PortierError, SessionUsed } from "portier-client";
import * as forExpress from "portier-client/express";
import * as forFastify from "portier-client/fastify";
import * as forHono from "portier-client/hono";
import * as forKoa from "portier-client/koa";
import * as forNode from "portier-client/node";
import { DevBroker } from "portier-client/testing";
import * as forFetch from "portier-client/web";

const faces = [forExpress, forFastify, forHono, forKoa, forNode, forFetch];
const broker = new DevBroker();
const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
for (const { portier } of faces) if (typeof portier !== "function") throw new TypeError();
forExpress.portier({ client, onLogin() {} });
const token = broker.mint({ url: await client.authenticate("alice@example.com") });
const email = await client.verify(token);
const error = await client.verify(token).catch((error) => error);
broker.stop();
const kinds = [client instanceof portier, error instanceof PortierError, error instanceof SessionUsed];
console.log(JSON.stringify({ email, kinds, seen }));
`;

test("an error tracker can wrap the exports of the package", options, (t) => {
  const site = makeSite(t);
  const tracker = path.join(site.folder, "tracker.mjs");
  const program = path.join(site.folder, "tracked.mjs");
  writeFileSync(tracker, TRACKER);
  writeFileSync(program, TRACKED);
  const flags = ["--no-warnings", "--import", pathToFileURL(tracker).href];
  const { status, stdout, stderr } = run(program, [], { flags });
  assert.equal(status, 0, stderr);
  const { email, kinds, seen } = JSON.parse(stdout);
  assert.equal(email, "alice@example.com");
  assert.deepEqual(kinds, [true, true, true]);
  const entries = ["testing", "express", "fastify", "hono", "koa", "node", "web"].map((name) => `portier-client/dist/${name}.mjs`);
  for (const entry of ["portier-client", ...entries]) assert.ok(seen.includes(entry), seen.join("\n"));
  assert.ok(seen.includes("authenticate"), "the tracker's client is the one in use");
});
