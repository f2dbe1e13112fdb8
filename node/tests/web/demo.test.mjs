// The demo: one command starts it, it prints one address, and Ctrl-C stops it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";

import { SEALED_SITES, SITES } from "./sites.mjs";
import { Visitor } from "./visitor.mjs";

const DEMO = path.resolve(import.meta.dirname, "../../examples/demo.mjs");

for (const site of [...SITES, ...SEALED_SITES]) {
  describe(site, { timeout: 60_000 }, () => {
    test("a visitor logs in to the demo", async (t) => {
      const { url } = await start(t, site);
      const visitor = new Visitor();
      const asked = await visitor.submit(await visitor.get(url), "/login", {
        email: "alice@example.com",
      });
      const { headers } = await visitor.submit(asked, "", { answer: "continue" }, { follow: false });
      const callback = headers.location;
      const greeting = await visitor.get(callback);
      assert.equal(greeting.url, `${url}/`);
      assert.match(greeting.text, /alice@example\.com/);
      assert.match(greeting.text, new RegExp(`portier-client with ${site === "web" ? "fetch" : site}`, "i"));
      assert.equal((await visitor.get(callback)).url, `${url}/`, "a reload");
      assert.equal((await new Visitor().get(callback)).status, 400);
    });

    for (const signal of ["SIGINT", "SIGTERM"]) {
      test(`the demo stops silently: ${signal}`, async (t) => {
        const { demo, url, rest } = await start(t, site);
        assert.equal((await new Visitor().get(url)).status, 200);
        // Not `demo.kill()`: Deno would then report the signal instead of the status.
        process.kill(demo.pid, signal);
        assert.deepEqual(await once(demo, "exit"), [0, null]);
        assert.deepEqual(await rest(), ["", ""]);
      });
    }

    test("a taken port is reported in one line", async (t) => {
      const taken = createServer().listen(0, "127.0.0.1");
      t.after(() => taken.close());
      await once(taken, "listening");
      const { port } = taken.address();
      const [status, output, errors] = await run("--site", site, "--port", String(port));
      assert.equal(status, 1);
      assert.equal(output, "");
      assert.match(errors, new RegExp(`^demo: port ${port} is taken.*\\n$`));
    });
  });
}

for (const wrong of [["--site", "rails"], ["--port", "65536"], ["--port", "-1"], ["--prot", "1"]]) {
  test(`invalid arguments are reported: ${wrong.join(" ")}`, { timeout: 60_000 }, async () => {
    const [status, output, errors] = await run(...wrong);
    assert.equal(status, 2);
    assert.equal(output, "");
    assert.match(errors, /^demo: .*\nusage: demo\.mjs/s);
  });
}

/** Starts the demo, and reads the address that it prints. */
async function start(t, site) {
  const demo = spawn(process.execPath, [DEMO, "--site", site, "--port", "0"]);
  t.after(() => demo.kill("SIGKILL"));
  let printed = "";
  demo.stdout.setEncoding("utf8").on("data", (chunk) => (printed += chunk));
  const errors = text(demo.stderr);
  while (!printed.includes("Ctrl-C")) {
    const [chunk] = await Promise.race([once(demo.stdout, "data"), once(demo, "exit")]);
    if (typeof chunk !== "string") assert.fail(`the demonstration ended early: ${await errors}`);
  }
  assert.match(printed, /For development only/);
  const urls = printed.match(/http\S+/g);
  assert.equal(urls.length, 1);
  const greeting = printed;
  const rest = async () => [printed.slice(greeting.length), await errors];
  return { demo, url: urls[0], rest };
}

async function run(...args) {
  const demo = spawn(process.execPath, [DEMO, ...args]);
  const [output, errors, [status]] = await Promise.all([
    text(demo.stdout),
    text(demo.stderr),
    once(demo, "exit"),
  ]);
  return [status, output, errors];
}
