// The doctor, as a command and from code.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import test from "node:test";

import { examine } from "portier-client/doctor";
import { DevBroker } from "portier-client/testing";

const cli = createRequire(import.meta.url).resolve("../../dist/cli.js");
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

test("the command takes its options from the environment as well", () => {
  const environment = { PORTIER_REDIRECT_URI: redirectUri, PORTIER_JSON: "1", PORTIER_OFFLINE: "1" };
  const { healthy, findings } = JSON.parse(run([], environment).stdout);
  assert.equal(healthy, true);
  assert.ok(findings.some(({ id }) => id === "redirect_uri"));
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
  assert.equal(see, "docs/doctor.md#processesmemory");
});

test("options of a wrong type are refused", async () => {
  await assert.rejects(examine({}), { code: "invalid_redirect_uri" });
  await assert.rejects(examine({ redirectUri, brokr: "https://broker.example" }), { code: "invalid_option" });
  await assert.rejects(examine({ redirectUri, processes: "many" }), TypeError);
});
