// Example sites whose tests run in Jest and in Vitest, and the examples of the manual for both.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";

import { LIMIT_MS, makeSite, run } from "./site.mjs";

const require = createRequire(import.meta.url);
const EXAMPLES = path.resolve(import.meta.dirname, "../../examples");
const MANUAL = path.resolve(import.meta.dirname, "../../../docs/testing-node.md");

// Of a test. The runners' own limit is five seconds, of which a busy machine may need more for a login.
const TEST_TIMEOUT = "--testTimeout=60000";
const RUNNERS = {
  node(folder, report) {
    const result = run("--test", ["--test-reporter=tap", "src/app.spec.mjs"], { cwd: folder });
    const [passed, total] = ["pass", "tests"].map((name) => Number(new RegExp(`^# ${name} (\\d+)$`, "m").exec(result.stdout)?.[1]));
    writeFileSync(report, JSON.stringify({ numPassedTests: passed, numTotalTests: total }));
    return result;
  },
  jest(folder, report) {
    const config = { cacheDirectory: "<rootDir>/cache", testMatch: ["<rootDir>/**/*.spec.mjs"], transform: {} };
    const words = ["--ci", "--runInBand", "--watchman=false", TEST_TIMEOUT, "--json", "--outputFile", report];
    const args = [...words, "--config", JSON.stringify(config)];
    const flags = ["--experimental-vm-modules", "--no-warnings"];
    return run(require.resolve("jest/bin/jest"), args, { cwd: folder, flags });
  },
  vitest(folder, report) {
    const program = path.join(path.dirname(require.resolve("vitest/package.json")), "vitest.mjs");
    const args = ["run", "--root=.", "--no-cache", TEST_TIMEOUT, "--reporter=json", `--outputFile=${report}`];
    return run(program, args, { cwd: folder });
  },
};

/** Runs the tests of a folder; there must be as many as `tests` has. */
function passes(runner, folder, tests) {
  writeFileSync(path.join(folder, "package.json"), '{ "private": true }');
  const report = path.join(folder, "report.json");
  const { status, stdout, stderr } = RUNNERS[runner](folder, report);
  assert.equal(status, 0, stdout + stderr);
  const { numPassedTests, numTotalTests } = JSON.parse(readFileSync(report, "utf8"));
  const count = tests.match(/^test\(/gm).length;
  assert.deepEqual([numPassedTests, numTotalTests], [count, count]);
}

test("every example site has tests that use the kit", () => {
  const folders = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory() && entry.name !== "shared");
  assert.ok(folders.length > 5);
  for (const { name } of folders) {
    const folder = path.join(EXAMPLES, name);
    const tests = readdirSync(folder).filter((file) => /\.(test|spec)\.mjs$/.test(file));
    const uses = tests.map((file) => readFileSync(path.join(folder, file), "utf8").includes('from "portier-client/testing"'));
    assert.deepEqual(uses, [true], name);
  }
});

for (const [runner, example] of Object.entries({ jest: "express", vitest: "hono" })) {
  test(`the example site for ${example} is tested with ${runner}`, { timeout: 2 * LIMIT_MS }, (t) => {
    const { folder } = makeSite(t);
    for (const name of [example, "shared"]) cpSync(path.join(EXAMPLES, name), path.join(folder, name), { recursive: true });
    passes(runner, folder, readFileSync(path.join(EXAMPLES, example, "app.spec.mjs"), "utf8"));
  });
}

for (const runner of Object.keys(RUNNERS)) {
  test(`the example of the manual runs in ${runner}`, { timeout: 2 * LIMIT_MS }, (t) => {
    const blocks = [...readFileSync(MANUAL, "utf8").matchAll(/^```js (\w+)\n(.*?)^```$/gms)];
    const code = blocks.find(([, name]) => name === runner)[2];
    const { folder } = makeSite(t);
    mkdirSync(path.join(folder, "src"));
    // The site of the first example on the page.
    const [, site] = /^```js\n(.*?)^```$/ms.exec(readFileSync(MANUAL, "utf8"));
    writeFileSync(path.join(folder, "src/app.mjs"), site);
    writeFileSync(path.join(folder, "src/app.spec.mjs"), code);
    passes(runner, folder, code);
  });
}
