// The demonstrations: one command, one address to open, one key to stop it.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, test } from "node:test";

import { NO_STATUS } from "../client/runtime.mjs";
import { EXAMPLES } from "./site.mjs";
import { Visitor } from "./visitor.mjs";

for (const name of Object.keys(EXAMPLES)) {
  const program = new URL(`../../examples/${name}/demo.mjs`, import.meta.url).pathname;

  describe(name, () => {
    test("a visitor logs in to the demo", async () => {
      const { child, url } = await start();
      const visitor = new Visitor();
      const login = await visitor.get(url);
      const asked = await visitor.submit(login, "/login", { email: "alice@example.com" });
      const callback = await visitor.submit(asked, "", { answer: "continue" });
      const greeting = await visitor.submit(callback, "");
      assert.equal(greeting.url, `${url}/`);
      assert.ok(greeting.text.includes("alice@example.com"));
      assert.equal((await visitor.submit(callback, "")).status, 400);
      child.kill("SIGKILL");
    });

    for (const signal of ["SIGINT", "SIGTERM"]) {
      test(`the demo stops without a word ${signal}`, { skip: NO_STATUS }, async () => {
        const { child, url, rest } = await start();
        assert.equal((await new Visitor().get(url)).status, 200);
        child.kill(signal);
        const [status] = await once(child, "close");
        assert.deepEqual([status, rest()], [0, ""]);
      });
    }

    test("a taken port is said in one line", async () => {
      const server = createServer().listen(0, "localhost");
      await once(server, "listening");
      const { port } = server.address();
      const args = [program, "--port", String(port)];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
      server.close();
      assert.deepEqual([status, stdout, stderr.split("\n").length], [1, "", 2]);
      assert.match(stderr, new RegExp(`port ${port} is taken`));
    });
  });

  async function start() {
    const child = spawn(process.execPath, [program, "--port", "0"]);
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (printed += text));
    }
    while (!printed.includes("stops it.\n")) await once(child.stdout, "data");
    assert.match(printed, /For development only/);
    const length = printed.length;
    const [url] = printed.match(/http\S+/);
    return { child, url, rest: () => printed.slice(length) };
  }
}
