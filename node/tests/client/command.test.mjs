// `npx portier-client broker`.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";

import { PortierClient, version } from "portier-client";

import { NO_STATUS } from "./runtime.mjs";

const CLI = new URL("../../dist/cli.js", import.meta.url).pathname;

for (const signal of ["SIGINT", "SIGTERM"]) {
  test(`the broker serves until it is stopped signal=${signal}`, { skip: NO_STATUS }, async () => {
    const child = spawn(process.execPath, [CLI, "broker", "--port", "0", "--auto"]);
    let output = "";
    child.stderr.on("data", (text) => (output += text));
    for await (const text of child.stdout) {
      output += text;
      if (output.includes("Ctrl-C")) break;
    }
    assert.match(output, /For development only/);
    const [broker] = output.match(/http:\/\/127\.0\.0\.1:\d+/);
    const client = new PortierClient({ redirectUri: "https://example.com/verify", broker });
    const url = await client.authenticate("alice@example.com");
    const page = await (await fetch(url)).text();
    assert.match(page, /id_token/);
    child.kill(signal);
    const [status] = await once(child, "close");
    assert.equal(status, 0);
  });
}

test("the public origin can be set", { skip: NO_STATUS }, async () => {
  const options = ["--port", "0", "--host", "127.0.0.1", "--origin", "http://broker.example:3333"];
  const child = spawn(process.execPath, [CLI, "broker", ...options]);
  let output = "";
  for await (const text of child.stdout) {
    output += text;
    if (output.includes("Ctrl-C")) break;
  }
  child.kill();
  await once(child, "close");
  assert.equal(output.split("\n", 1)[0], "Portier development broker on http://broker.example:3333");
});

test("an invalid host or origin prints one line", () => {
  for (const [name, value] of [["host", "localhost"], ["host", "192.0.2.1"], ["origin", "localhost:3333"]]) {
    const { status, stdout, stderr } = run("broker", "--port", "0", `--${name}`, value);
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, new RegExp(`^broker: ${name} is not .*\n$`));
  }
});

test("a port in use prints one line", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  const { status, stdout, stderr } = run("broker", "--port", String(port));
  server.close();
  assert.deepEqual([status, stdout], [1, ""]);
  assert.match(stderr, /^broker: the port is taken by another program port=\d+\n$/);
});

test("wrong usage is explained", () => {
  for (const args of [[], ["brokr"], ["broker", "--prot", "1"], ["broker", "--port", "x"]]) {
    const { status, stdout, stderr } = run(...args);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, args[0] === "broker" ? /usage: broker \[OPTION\]/ : /usage: portier-client broker/);
  }
});

test("the help is printed", () => {
  for (const [args, usage] of [[["--help"], /^usage: portier-client broker/], [["broker", "--help"], /^usage: broker \[/]]) {
    const { status, stdout, stderr } = run(...args);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, usage);
  }
});

test("options come from the environment, and accounts have modes", { skip: NO_STATUS }, async () => {
  const env = { ...process.env, PORTIER_DEV_BROKER_PORT: "0", PORTIER_DEV_BROKER_AUTO: "1" };
  const child = spawn(process.execPath, [CLI, "broker", "--account", "*@example.org=refuse"], { env });
  let output = "";
  for await (const text of child.stdout) {
    output += text;
    if (output.includes("Ctrl-C")) break;
  }
  const [broker] = output.match(/http:\/\/127\.0\.0\.1:\d+/);
  const client = new PortierClient({ redirectUri: "https://example.com/verify", broker });
  for (const [address, answer] of [["alice@example.com", "id_token"], ["alice@example.org", "access_denied"]]) {
    const page = await fetch(await client.authenticate(address));
    assert.ok((await page.text()).includes(answer));
  }
  child.kill();
  await once(child, "close");
});

test("the version is printed", () => {
  assert.equal(run("--version").stdout, `portier-client ${version}\n`);
});

function run(...args) {
  return spawnSync(process.execPath, [CLI, ...args], { encoding: "utf8" });
}
