// A folder with the installed package, and a program that logs in with it.
import { spawnSync } from "node:child_process";
import { cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const HERE = import.meta.dirname;
const PACKAGE = path.resolve(HERE, "../..");
const DIST = path.join(PACKAGE, "dist");

/** The addon's file. */
export const ADDON = readdirSync(DIST).find((name) => name.endsWith(".node"));

/** The limit for one run of a tool or a program. */
export const LIMIT_MS = 120_000;

export const PROGRAM = `
const { PortierClient } = require("portier-client");
const { DevBroker } = require("portier-client/testing");
(async () => {
  const broker = new DevBroker();
  const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
  const url = await client.authenticate("alice@example.com");
  console.log(await client.verify(broker.mint({ url })));
  broker.stop();
})();
`;

/** Makes such a folder, which is removed after the test. */
export function makeSite(context) {
  const folder = mkdtempSync(path.join(HERE, "site-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const installed = path.join(folder, "node_modules/portier-client");
  mkdirSync(installed, { recursive: true });
  cpSync(path.join(PACKAGE, "package.json"), path.join(installed, "package.json"));
  cpSync(DIST, path.join(installed, "dist"), { recursive: true, filter: (name) => !name.endsWith(".node") });
  // A debug build is large.
  linkSync(path.join(DIST, ADDON), path.join(installed, "dist", ADDON));
  const program = path.join(folder, "site.cjs");
  writeFileSync(program, PROGRAM);
  const out = path.join(folder, "out");
  mkdirSync(out);
  return { folder, program, out, installed };
}

/** Keeps only the output of a tool. */
export function deploy({ folder, out }) {
  for (const name of readdirSync(folder)) {
    if (path.join(folder, name) !== out) rmSync(path.join(folder, name), { recursive: true });
  }
}

/** Runs a program of Node, with optional flags; returns its output. */
export function run(program, args = [], { cwd = path.dirname(program), flags = [] } = {}) {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [...flags, program, ...args], {
    cwd,
    encoding: "utf8",
    // Without the variable by which `node --test` tells that it runs in another one.
    env: { ...process.env, NODE_PATH: "", NODE_TEST_CONTEXT: undefined, NO_COLOR: "1" },
    killSignal: "SIGKILL",
    timeout: LIMIT_MS,
  });
  return { status, stdout, stderr: stderr + (error?.message ?? "") };
}
