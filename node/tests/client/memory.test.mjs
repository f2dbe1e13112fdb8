// Memory does not grow with the number of calls.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const CALLS = Number(process.env.PORTIER_TEST_CALLS ?? 100_000);

test(`memory is flat over many calls: ${CALLS}`, () => {
  // A small heap: a leak would end the process.
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--expose-gc", "--max-old-space-size=64", new URL("./memory.mjs", import.meta.url).pathname, CALLS],
    { encoding: "utf8" },
  );
  assert.equal(status, 0, stderr);
  const { heap, resident } = JSON.parse(stdout);
  assert.ok(heap < 1_000_000, `heap grew bytes=${heap}`);
  assert.ok(resident < 16_000_000, `resident memory grew bytes=${resident}`);
});
