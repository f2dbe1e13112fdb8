// The packages as they are published, in a registry on this machine, and programs that log in with them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { builtAddons, pack, TARGETS } from "../../scripts/pack.mjs";
import { startRegistry } from "./registry.mjs";

/** The target of this system, and the name of its package. */
export const [TARGET] = Object.keys(builtAddons());
export const ADDON_PACKAGE = `@portier-client/${TARGET}`;

const LOG_IN = `
async function logIn() {
  const broker = new DevBroker();
  const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
  const url = await client.authenticate("Alice@example.com", { session: "/members" });
  const login = await client.complete(broker.signIn(url));
  broker.stop();
  console.log(login.email, login.session);
}
`;
export const PROGRAMS = {
  "esm.mjs": `import PortierClient from "portier-client";
    import { DevBroker } from "portier-client/testing"; ${LOG_IN} await logIn();`,
  "cjs.cjs": `const { PortierClient } = require("portier-client");
    const { DevBroker } = require("portier-client/testing"); ${LOG_IN} logIn();`,
  "both.mjs": `import { createRequire } from "node:module";
    import { PortierClient } from "portier-client";
    const { DevBroker } = createRequire(import.meta.url)("portier-client/testing"); ${LOG_IN} await logIn();`,
};
export const TYPED_PROGRAM = `import PortierClient, { type Login } from "portier-client";
  import { DevBroker } from "portier-client/testing";
  ${LOG_IN.replace("const login =", "const login: Login =")} await logIn();`;
/** What each of them prints. */
export const LOGGED_IN = "alice@example.com /members\n";

/** Publishes the packages of all platforms. Those of other platforms have no real addon. */
export async function publish() {
  const folder = mkdtempSync(path.join(tmpdir(), "portier-client-"));
  const noAddon = path.join(folder, "no-addon");
  writeFileSync(noAddon, "the addon of another platform");
  const addons = Object.fromEntries(TARGETS.map(({ name }) => [name, noAddon]));
  const archives = path.join(folder, "archives");
  // Compiling takes some seconds; `archives.test.mjs` does it.
  const compiled = path.resolve(import.meta.dirname, "../../dist");
  const tarballs = pack(archives, { ...addons, [TARGET]: strippedAddon(folder) }, { compiled });
  const registry = await startRegistry(tarballs);
  // A cache of the user may have another package of this version.
  const npm = { npm_config_registry: registry.url, npm_config_cache: path.join(folder, "npm-cache") };
  return {
    folder,
    tarballs,
    npm,
    registry: registry.url,
    /** An empty folder for a site, with the given members in its `package.json`. */
    makeSite(manifest = {}) {
      const site = mkdtempSync(path.join(folder, "site-"));
      writeFileSync(path.join(site, "package.json"), JSON.stringify({ private: true, ...manifest }));
      return site;
    },
    async unpublish() {
      await registry.stop();
      rmSync(folder, { recursive: true, maxRetries: 3 });
    },
  };
}

/** The addon without debug information, which takes longer to pack than all else, if the system has such a tool. */
function strippedAddon(folder) {
  const copy = path.join(folder, "addon");
  copyFileSync(builtAddons()[TARGET], copy);
  if (process.platform === "linux") spawnSync("strip", ["--strip-debug", copy]);
  return copy;
}

/** Runs a program that has to succeed; returns its output. */
export function run(command, args, cwd, variables = {}) {
  const env = { ...process.env, ...variables };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: "utf8", timeout: 300_000 });
  assert.equal(status, 0, `${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
  return stdout;
}
