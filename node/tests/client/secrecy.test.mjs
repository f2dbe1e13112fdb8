// No event, output or exception contains a secret.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("secrets.mjs", import.meta.url));

/** The secrets in a text, ignoring case. */
function toldIn(text, secrets) {
  const lower = text.toLowerCase();
  return secrets.filter((secret) => lower.includes(secret.toLowerCase()));
}

test("verbose events show no secret", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "portier-secrecy-"));
  const file = path.join(folder, "secrets.json");
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, file], {
    encoding: "utf8",
    env: { ...process.env, NODE_DEBUG: "*", NODE_V8_COVERAGE: "" },
    maxBuffer: 2 ** 28,
    timeout: 60_000,
  });
  const text = stdout + stderr;
  assert.equal(status, 0, text);
  const secrets = JSON.parse(readFileSync(file, "utf8"));
  rmSync(folder, { recursive: true });

  assert.match(text, /"message":"login completed"/);
  assert.match(text, /"message":"document not fetched"/);
  assert.ok(secrets.length > 20);
  assert.deepEqual(toldIn(text, secrets), []);
  // What looks like a token, or like an address.
  assert.doesNotMatch(stdout, /eyJ[\w-]{8,}|[\w.+-]+@[\w-]+\.\w+/);

  // The search would have found each of them.
  assert.deepEqual(toldIn(`${text}\n${secrets.join("\n").toUpperCase()}`, secrets), secrets);
});
