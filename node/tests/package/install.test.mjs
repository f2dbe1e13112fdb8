// The package as `npm pack` makes it, installed where there is nothing else.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

const HERE = path.resolve(import.meta.dirname, "../..");

const LOG_IN = `
async function logIn() {
  const broker = new DevBroker();
  const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
  const url = await client.authenticate("Alice@example.com", { session: "/members" });
  const login = await client.complete({ id_token: broker.mint({ url }), state: "" });
  broker.stop();
  console.log(login.email, login.session);
}
`;
const PROGRAMS = {
  "esm.mjs": `import PortierClient from "portier-client";
    import { DevBroker } from "portier-client/testing"; ${LOG_IN} await logIn();`,
  "cjs.cjs": `const { PortierClient } = require("portier-client");
    const { DevBroker } = require("portier-client/testing"); ${LOG_IN} logIn();`,
  "both.mjs": `import { createRequire } from "node:module";
    import { PortierClient } from "portier-client";
    const { DevBroker } = createRequire(import.meta.url)("portier-client/testing"); ${LOG_IN} await logIn();`,
};

describe("installed into an empty folder", () => {
  let folder;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "portier-client-"));
    writeFileSync(path.join(folder, "package.json"), '{ "private": true }');
    run("npm", ["pack", "--pack-destination", folder], HERE);
    const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
    run("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${tarball}`], folder);
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [name, program] of Object.entries(PROGRAMS)) {
    test(`it logs in ${name}`, () => {
      writeFileSync(path.join(folder, name), program);
      assert.equal(run(process.execPath, [name], folder), "alice@example.com /members\n");
    });
  }

  test("it logs in from TypeScript", () => {
    symlinkSync(path.join(HERE, "node_modules/@types"), path.join(folder, "node_modules/@types"));
    symlinkSync(
      path.join(HERE, "node_modules/undici-types"),
      path.join(folder, "node_modules/undici-types"),
    );
    writeFileSync(
      path.join(folder, "typed.mts"),
      `import PortierClient, { type Login } from "portier-client";
      import { DevBroker } from "portier-client/testing";
      ${LOG_IN.replace("const login =", "const login: Login =")} await logIn();`,
    );
    const options = ["--strict", "--target", "es2022", "--module", "nodenext", "--types", "node"];
    const tsc = path.join(HERE, "node_modules/typescript/bin/tsc");
    run(process.execPath, [tsc, ...options, "typed.mts"], folder);
    assert.equal(run(process.execPath, ["typed.mjs"], folder), "alice@example.com /members\n");
  });

  test("its command is there", () => {
    assert.match(run("npx", ["--offline", "portier-client", "--version"], folder), /^portier-client \d/);
  });

  test("it brings nothing along", () => {
    const installed = readdirSync(path.join(folder, "node_modules"));
    const others = installed.filter((name) => !name.startsWith(".") && !/types/.test(name));
    assert.deepEqual(others, ["portier-client"]);
  });

  test("a process that may not load addons is told the flag", () => {
    const allowed = process.allowedNodeEnvironmentFlags;
    const flag = allowed.has("--permission") ? "--permission" : "--experimental-permission";
    const program = "try { require('portier-client') } catch (error) { console.log(error.message) }";
    const args = [flag, "--allow-fs-read=*", "--no-warnings", "-e", program];
    assert.match(run(process.execPath, args, folder), /--allow-addons/);
  });

  test("a missing addon is named, with the platform", () => {
    const dist = path.join(folder, "node_modules/portier-client/dist");
    for (const name of readdirSync(dist).filter((name) => name.endsWith(".node"))) {
      rmSync(path.join(dist, name));
    }
    const program = "try { require('portier-client') } catch (error) { console.log(error.message) }";
    const message = run(process.execPath, ["-e", program], folder);
    assert.match(message, /no native addon here: install portier-client-/);
    assert.ok(message.includes(`${process.platform}-${process.arch}`));
  });
});

function run(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  assert.equal(status, 0, `${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
  return stdout;
}
