// Sites with several processes.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { NO_LOADER } from "./runtime.mjs";

const HERE = new URL("../..", import.meta.url);
const WARNING = /\[PORTIER_MEMORY_STORE\] PortierWarning: pending logins are in the memory/;
const MAKE_TWO = `
  const { PortierClient } = require("portier-client");
  const redirectUri = "https://example.com/verify";
  for (let made = 0; made < 2; made++) new PortierClient({ redirectUri, store: "memory:" });
`;

describe("a memory store with several workers causes a warning", () => {
  for (const [value, count] of [["4", 1], ["1", 0], ["", 0], ["many", 0]]) {
    test(`WEB_CONCURRENCY=${value}`, () => {
      const { status, stderr } = run(["-e", MAKE_TWO], { WEB_CONCURRENCY: value });
      assert.equal(status, 0);
      assert.equal(stderr.split(WARNING).length - 1, count, stderr);
    });
  }

  test("under Passenger", () => {
    const { stderr } = run(["-e", MAKE_TWO], { IN_PASSENGER: "1" });
    assert.equal(stderr.split(WARNING).length - 1, 1, stderr);
  });

  test("in a cluster", () => {
    const { status, stderr } = run([fileURLToPath(new URL("cluster.mjs", import.meta.url))]);
    assert.equal(status, 0, stderr);
    assert.equal(stderr.split(WARNING).length - 1, 1, stderr);
  });
});

describe("the warning about the default store waits until a login would use it", () => {
  for (const [about, count, use] of [
    ["a client that does nothing", 0, ""],
    ["a login of the client itself", 1, 'client.authenticate("alice@example.com").catch(() => {});'],
    ["a flow without a secret", 1, "new LoginFlow(client);"],
    ["a flow with a secret", 0, "new LoginFlow(client, { secret });"],
    ["a policy for pages of a flow with a secret", 0, 'require("portier-client/express").loginPolicy(client);'],
    ["a client with a secret", 0, "new LoginFlow(new PortierClient({ redirectUri, secret }));"],
  ]) {
    test(about, () => {
      const program = `
        const { LoginFlow, PortierClient } = require("portier-client");
        const redirectUri = "https://example.com/verify";
        const secret = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA";
        const client = new PortierClient({ redirectUri, broker: "http://127.0.0.1:9" });
        ${use}`;
      const { status, stderr } = run(["-e", program], { WEB_CONCURRENCY: "4" });
      assert.equal(status, 0, stderr);
      assert.equal(stderr.split(WARNING).length - 1, count, stderr);
    });
  }
});

describe("a site loaded twice, as by a development server, causes a warning", () => {
  for (const [way, count] of [
    ["for one site", 1],
    ["with a store they share", 0],
    ["the first of which is destroyed", 0],
    ["for two sites", 0],
    ["later, in a function", 0],
  ]) {
    test(`two clients ${way}`, { skip: count > 0 && NO_LOADER }, () => {
      const { status, stderr } = run([fileURLToPath(new URL("loaded_twice.cjs", import.meta.url)), way]);
      assert.equal(status, 0, stderr);
      assert.equal(stderr.split(WARNING).length - 1, count, stderr);
    });
  }
});

describe("the processes that PM2 runs are counted", () => {
  for (const [instances, count] of [["1", 0], ["2", 1], [undefined, 0]]) {
    test(`instances=${instances}`, () => {
      const { stderr } = run(["-e", MAKE_TWO], { pm_id: "0", instances });
      assert.equal(stderr.split(WARNING).length - 1, count, stderr);
    });
  }
});

describe("a worker thread causes a warning, but not that of a test runner", () => {
  const inThread = `new (require("node:worker_threads").Worker)(${JSON.stringify(MAKE_TWO)}, { eval: true })`;
  for (const [environment, count] of [["production", 1], ["test", 0], ["development", 0]]) {
    test(`NODE_ENV=${environment}`, () => {
      const { stderr } = run(["-e", inThread], { NODE_ENV: environment });
      assert.equal(stderr.split(WARNING).length - 1, count, stderr);
    });
  }
});

test("threads of deno serve cause a warning", { skip: !("Deno" in globalThis) || process.platform !== "linux" }, async () => {
  const site = fileURLToPath(new URL("deno_parallel.mjs", import.meta.url));
  const options = ["serve", "--parallel", "--no-check", "--allow-all", "--host=127.0.0.1", "--port=0", site];
  const server = spawn(process.execPath, options, { cwd: HERE, env: { ...process.env, DENO_JOBS: "2" } });
  // Deno loses other signals while it starts, and has no `timeout` for `spawn`.
  const end = () => server.kill("SIGKILL");
  const limit = setTimeout(end, 60_000);
  let said = "";
  const closed = new Promise((resolve) => server.on("close", resolve));
  for (const output of [server.stdout, server.stderr]) {
    output.on("data", (data) => {
      said += data;
      if (/several threads of deno serve/.test(said)) end();
    });
  }
  await closed;
  clearTimeout(limit);
  assert.match(said, /PortierWarning: pending logins are in the memory .* several threads of deno serve/);
});

function run(command, variables = {}) {
  return spawnSync(process.execPath, command, {
    cwd: HERE,
    env: { ...process.env, ...variables },
    encoding: "utf8",
    timeout: 30_000,
  });
}
