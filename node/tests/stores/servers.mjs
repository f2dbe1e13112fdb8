// Servers for store tests.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

/** Starts a Redis server for one test; returns its socket and a function to stop it, or nothing. */
export async function redisServer(...options) {
  const folder = mkdtempSync(path.join(tmpdir(), "portier-redis-"));
  const socket = path.join(folder, "redis.sock");
  const server = spawn(
    "redis-server",
    ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder, ...options],
    { stdio: "ignore" },
  );
  const exit = once(server, "exit").catch(() => {});
  const missing = new Promise((resolve) => server.once("error", () => resolve(true)));
  const stop = async () => {
    server.kill();
    await exit;
    rmSync(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + 30_000;
  while (!(await answers(socket))) {
    if (await Promise.race([missing, new Promise((resolve) => setTimeout(resolve, 10, false))])) {
      if (process.env.CI === "true") throw new Error("there is no redis-server here");
      rmSync(folder, { recursive: true, force: true });
      return undefined;
    }
    if (server.exitCode !== null || Date.now() > deadline) throw new Error("redis-server does not answer");
  }
  return { socket, stop };
}

function answers(socket) {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.on("error", () => resolve(false));
    connection.on("connect", () => connection.write("PING\r\n"));
    connection.on("data", () => resolve(connection.end() && true));
  });
}
