// Sites of several processes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = new URL("../..", import.meta.url);
const WARNING = /\[PORTIER_MEMORY_STORE\] PortierWarning: pending logins are in the memory/;
const MAKE_TWO = `
  const { PortierClient } = require("portier-client");
  for (let made = 0; made < 2; made++) new PortierClient({ redirectUri: "https://example.com/verify" });
`;

describe("nst_19 a memory store with several workers is noticed", () => {
  for (const [value, count] of [["4", 1], ["1", 0], ["", 0], ["many", 0]]) {
    test(`WEB_CONCURRENCY=${value}`, () => {
      const { status, stderr } = run(["-e", MAKE_TWO], { WEB_CONCURRENCY: value });
      assert.equal(status, 0);
      assert.equal(stderr.split(WARNING).length - 1, count, stderr);
    });
  }

  test("in a cluster", () => {
    const { status, stderr } = run([fileURLToPath(new URL("cluster.mjs", import.meta.url))]);
    assert.equal(status, 0, stderr);
    assert.equal(stderr.split(WARNING).length - 1, 1, stderr);
  });
});

function run(command, variables = {}) {
  return spawnSync(process.execPath, command, {
    cwd: HERE,
    env: { ...process.env, ...variables },
    encoding: "utf8",
    timeout: 30_000,
  });
}
