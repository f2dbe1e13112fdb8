// A process that is stopped for a while, like a cloud function between requests or a closed laptop.
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

// Longer than the second in which a key set is not fetched again.
const FROZEN_MS = Number(process.env.PORTIER_TEST_FROZEN_MS ?? 1_500);

test(`a process that was frozen replaces its lost connections: ${FROZEN_MS} ms`, async () => {
  const before = new DevBroker();
  const program = fileURLToPath(new URL("./frozen.mjs", import.meta.url));
  const child = spawn(process.execPath, [program, before.origin], { stdio: ["pipe", "pipe", "inherit"] });
  const exit = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const url = (await lines.next()).value;

  // `child.kill` of Deno works only once.
  process.kill(child.pid, "SIGSTOP");
  while (!isStopped(child.pid)) await setTimeout(1);
  // Another broker with other keys takes its place. The site has to fetch them, and its old connection was closed
  // while it was stopped.
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
  // Deno does not always report the end of a process that was stopped.
  if (NO_STATUS === false) assert.equal((await exit)[0], 0);
  now.stop();
});

/** Where the status can be seen; elsewhere the signal has to do. */
function isStopped(pid) {
  if (process.platform !== "linux") return true;
  return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1].startsWith("T");
}
