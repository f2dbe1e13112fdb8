// A process that cannot start more threads.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { test } from "node:test";

const isNode = !("Bun" in globalThis) && !("Deno" in globalThis);
const hasTool = spawnSync("prlimit", ["--version"]).status === 0;
const skip = isNode && process.platform === "linux" && hasTool ? false : "it takes Node, Linux and prlimit";

test("a process without threads gets an error, and works once it has threads", { skip }, async () => {
  const program = `
    const { once } = require("node:events");
    const { execFileSync } = require("node:child_process");
    // Only the soft limit, which can be raised again.
    execFileSync("prlimit", ["--pid", process.pid, "--nproc=1:"]);
    const { PortierClient } = require("portier-client");
    const report = ({ code, message }) => console.log(code, message);
    const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: "http://127.0.0.1:1" });
    (async () => {
      await client.warm().catch(report);
      await client.authenticate("alice@example.com").catch(report);
      try {
        new PortierClient({ redirectUri: "https://example.com/verify", store: "sqlite:///logins.db" });
      } catch (error) {
        report(error);
      }
      process.send("limited");
      await once(process, "message");
      await client.warm().catch(({ code }) => console.log(code));
      process.disconnect();
    })();
  `;
  // Limits do not apply to the superuser.
  const user = process.getuid() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const child = spawn(process.execPath, ["-e", program], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    timeout: 60_000,
    ...user,
  });
  child.once("message", () => {
    execFileSync("prlimit", ["--pid", child.pid, "--nproc=10000:"], user);
    child.send("raised");
  });
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  const refused = "internal the system gives the process no threads or file descriptors\n";
  assert.deepEqual([status, stdout], [0, `${refused.repeat(3)}broker_unreachable\n`], stderr);
});
