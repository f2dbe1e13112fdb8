// A process that stands still for a while, as functions do between requests, or a laptop that is closed.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { DevBroker } from "portier-client/testing";

import { NO_STATUS } from "./runtime.mjs";

// Longer than the second in which a set of keys is not fetched again.
const FROZEN_MS = Number(process.env.PORTIER_TEST_FROZEN_MS ?? 1_500);

test(`a process that was frozen replaces its lost connections: ${FROZEN_MS} ms`, async () => {
  const before = new DevBroker();
  const program = fileURLToPath(new URL("./frozen.mjs", import.meta.url));
  const child = spawn(process.execPath, [program, before.origin], { stdio: ["pipe", "pipe", "inherit"] });
  const exit = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const url = (await lines.next()).value;

  // Deno's `child.kill` does it once only.
  process.kill(child.pid, "SIGSTOP");
  while (!isStopped(child.pid)) await setTimeout(1);
  // Another broker is there in its place, with other keys: the site has to fetch them, and what it
  // fetches over was closed while it could not notice.
  before.stop();
  const now = new DevBroker({ port: before.port });
  now.forgetKeys();
  const token = now.mint({ url });
  child.stdin.write(`${token}\n`);
  await setTimeout(FROZEN_MS);
  assert.equal(now.requests()["/keys.json"] ?? 0, 0);
  process.kill(child.pid, "SIGCONT");

  assert.deepEqual(JSON.parse((await lines.next()).value), ["alice@example.com", 0]);
  assert.equal(now.requests()["/keys.json"], 1);
  // Deno does not always see the end of a process that was stopped.
  if (NO_STATUS === false) assert.equal((await exit)[0], 0);
  now.stop();
});

/** Where that can be seen; elsewhere the signal has to do. */
function isStopped(pid) {
  if (process.platform !== "linux") return true;
  return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1].startsWith("T");
}
