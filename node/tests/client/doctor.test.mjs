// The doctor, as a command and from code.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import test from "node:test";

import { examine } from "portier-client/doctor";
import { DevBroker } from "portier-client/testing";

import { load } from "./mocked.mjs";

const require = createRequire(import.meta.url);
const cli = require.resolve("../../dist/cli.js");
const { main } = require("../../dist/doctor.js");
const redirectUri = "https://example.com/verify";

function run(args, environment = {}) {
  const env = { PATH: process.env.PATH, ...environment };
  return spawnSync(process.execPath, [cli, "doctor", ...args], { encoding: "utf8", env, timeout: 60_000 });
}

test("the command ends with the status of its findings", () => {
  const healthy = run(["--offline", "--redirect-uri", redirectUri]);
  assert.deepEqual([healthy.status, healthy.stderr], [0, ""]);
  assert.match(healthy.stdout, /healthy\n$/);
  assert.ok(healthy.stdout.includes(`Node ${process.versions.node}`));
  const broken = run(["--offline", "--redirect-uri", redirectUri, "--store", "mysql://localhost"]);
  assert.equal(broken.status, 1);
  assert.match(broken.stdout, /store\.invalid/);
  const wrong = run(["--offline"]);
  assert.deepEqual([wrong.status, wrong.stdout], [2, ""]);
  assert.match(wrong.stderr, /--redirect-uri is missing/);
});

/** Runs the command in this process; returns its status, and what it has printed. */
async function command(args) {
  const printed = [];
  const streams = [process.stdout, process.stderr].map((stream) => [stream, stream.write]);
  for (const [stream, write] of streams) {
    // What is no text comes from the runner, which reports the tests.
    stream.write = (text, ...rest) => (typeof text === "string" ? printed.push(text) > 0 : write.call(stream, text, ...rest));
  }
  try {
    return { status: await main(args), text: printed.join("") };
  } finally {
    for (const [stream, write] of streams) stream.write = write;
  }
}

test("a command line has the same findings in every language", async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "portier-doctor-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(path.join(folder, "other.txt"), "This is no store.");
  const tls = (name) => readFileSync(new URL(`tls/${name}.pem`, import.meta.url));
  const secure = createServer({ cert: tls("server"), key: tls("server-key") }).listen(0, "127.0.0.1");
  await once(secure, "listening");
  t.after(() => secure.close());
  for (const name of ["NO_PROXY", "no_proxy", "https_proxy", "ALL_PROXY", "all_proxy"]) delete process.env[name];
  for (const { id, arguments: given, environment, process: more, failing, expect } of load("doctor").cases) {
    const broker = new DevBroker();
    if (failing !== undefined) broker.failNext(failing, { requests: 50, status: 404 });
    const values = {
      broker: broker.origin,
      address: new URL(broker.origin).host,
      secure: `127.0.0.1:${secure.address().port}`,
      folder: folder.replaceAll("\\", "/"),
    };
    const filled = (text) => text.replaceAll(/\{(\w+)\}/g, (_, name) => values[name]);
    const variables = Object.entries({ ...environment, ...more });
    for (const [name, value] of variables) process.env[name] = filled(value);
    try {
      const args = given.map(filled);
      const { status, text } = await command(args);
      assert.ok(status === expect.status || text.includes(".slow:"), `${id}: ${text}`);
      assert.ok(text.includes(expect.says ?? ""), `${id}: ${text}`);
      assert.ok(!text.includes("swordfish"), `${id}: ${text}`);
      if (status === 2) continue;
      const json = await command([...args, "--json"]);
      assert.ok(!json.text.includes("swordfish"), `${id}: ${json.text}`);
      // A busy machine may be slow.
      const found = JSON.parse(json.text).findings.filter(({ id, level }) => level !== "ok" && !id.endsWith(".slow"));
      assert.deepEqual(found.map(({ id }) => id).sort(), expect.findings, id);
    } finally {
      for (const [name] of variables) delete process.env[name];
      broker.stop();
    }
  }
});

test("a terminal has colours", async (t) => {
  const { isTTY } = process.stdout;
  const { NO_COLOR } = process.env;
  t.after(() => {
    process.stdout.isTTY = isTTY;
    if (NO_COLOR === undefined) delete process.env.NO_COLOR;
    else process.env.NO_COLOR = NO_COLOR;
  });
  const offline = ["--offline", "--redirect-uri", redirectUri];
  for (const [terminal, variable, args, hasColours] of [
    [true, "", [], true],
    [true, "1", [], false],
    [true, "", ["--no-colour"], false],
    [true, "", ["--json"], false],
    [undefined, "", [], false],
  ]) {
    process.stdout.isTTY = terminal;
    process.env.NO_COLOR = variable;
    const { text } = await command([...offline, ...args]);
    assert.match(text, /redirect_uri/);
    assert.equal(text.includes("\x1b[32mok"), hasColours, `${terminal} ${variable} ${args}`);
  }
});

test("a site is examined from code", async (t) => {
  const broker = new DevBroker();
  t.after(() => broker.stop());
  const site = { redirectUri: "http://localhost:8000/verify", broker: broker.origin, hasSecret: true };
  const report = await examine(site);
  assert.equal(report.healthy, true, JSON.stringify(report));
  const keys = report.findings.find(({ id }) => id === "keys");
  assert.deepEqual([keys.level, keys.advice, keys.values.algorithms], ["ok", null, ["EdDSA", "RS256"]]);
});

test("findings say what to do", async () => {
  const { healthy, findings } = await examine({ redirectUri, offline: true, processes: 4 });
  assert.equal(healthy, false);
  const { level, advice, see } = findings.find(({ id }) => id === "processes.memory");
  assert.equal(level, "error");
  assert.equal(typeof advice, "string");
  assert.equal(see, "https://github.com/portier/portier-client/blob/main/docs/doctor.md#processesmemory");
});

test("options of a wrong type are refused", async () => {
  await assert.rejects(examine({}), { code: "invalid_redirect_uri" });
  await assert.rejects(examine({ redirectUri, brokr: "https://broker.example" }), { code: "invalid_option" });
  await assert.rejects(examine({ redirectUri, processes: "many" }), TypeError);
});
