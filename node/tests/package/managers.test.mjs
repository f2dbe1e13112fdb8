// Installations from a registry, with each package manager and the runtimes' own.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";

import { TARGETS } from "../../scripts/pack.mjs";
import { ADDON_PACKAGE, LOGGED_IN, PROGRAMS, publish, run, TARGET } from "./published.mjs";

const RUNTIMES = path.resolve(import.meta.dirname, "../runtimes/node_modules");
const NODE = [process.execPath];
const PNPM = [process.execPath, path.join(RUNTIMES, "pnpm/bin/pnpm.cjs")];
const YARN = [process.execPath, path.join(RUNTIMES, "@yarnpkg/cli-dist/bin/yarn.js")];
const BUN = [path.join(RUNTIMES, ".bin/bun")];
const DENO = [path.join(RUNTIMES, ".bin/deno")];

let published;
before(async () => {
  published = await publish();
});
after(() => published.unpublish());

// No manager finds anything in the caches of the user, or leaves anything there.
const YARN_SETTINGS = (url, folder) => ({
  YARN_GLOBAL_FOLDER: path.join(folder, "yarn"),
  YARN_NPM_REGISTRY_SERVER: url,
  YARN_UNSAFE_HTTP_WHITELIST: "127.0.0.1",
  YARN_ENABLE_TELEMETRY: "0",
  YARN_ENABLE_IMMUTABLE_INSTALLS: "0",
});
// How to install with each, how to run a program then, and with which variables.
const MANAGERS = {
  npm: { install: ["npm", "install", "--no-audit", "--no-fund"], runs: NODE },
  // It links packages from elsewhere.
  pnpm: { install: [...PNPM, "install", "--store-dir=store", "--cache-dir=cache"], runs: NODE },
  "Yarn with node_modules": {
    install: [...YARN, "install"],
    runs: NODE,
    variables: (url, folder) => ({ ...YARN_SETTINGS(url, folder), YARN_NODE_LINKER: "node-modules" }),
  },
  // It keeps packages in archives, except those with an addon.
  "Yarn's Plug'n'Play": {
    install: [...YARN, "install"],
    runs: [...YARN, "node"],
    variables: (url, folder) => ({
      ...YARN_SETTINGS(url, folder),
      YARN_NODE_LINKER: "pnp",
      YARN_PNP_ENABLE_ESM_LOADER: "1",
    }),
  },
  Bun: {
    install: [...BUN, "install"],
    runs: BUN,
    variables: (_, folder) => ({ BUN_INSTALL_CACHE_DIR: path.join(folder, "bun") }),
  },
  Deno: {
    install: [...DENO, "install", "--quiet"],
    runs: [...DENO, "run", "--quiet", "--allow-all"],
    ignoresLibc: true,
    variables: (url, folder) => ({ NPM_CONFIG_REGISTRY: url, DENO_DIR: path.join(folder, "deno") }),
  },
};

for (const [name, { install, runs, variables = () => ({}), ignoresLibc = false }] of Object.entries(MANAGERS)) {
  test(`it logs in when installed with ${name}, which installs no addon of another platform`, () => {
    const { folder, npm, registry, makeSite } = published;
    const site = makeSite({ dependencies: { "portier-client": "*" } });
    // Otherwise it would be part of a project above.
    if (install.includes(YARN[1])) writeFileSync(path.join(site, "yarn.lock"), "");
    const environment = { ...npm, ...variables(registry, folder) };
    run(install[0], install.slice(1), site, environment);
    assert.deepEqual(installedAddons(site).sort(), fitting(ignoresLibc));
    for (const [file, text] of Object.entries(PROGRAMS)) {
      writeFileSync(path.join(site, file), text);
      assert.equal(run(runs[0], [...runs.slice(1), file], site, environment), LOGGED_IN, file);
    }
  });
}

test("without its optional dependencies, the error names the package that is missing", () => {
  const { npm, makeSite } = published;
  const site = makeSite({ dependencies: { "portier-client": "*" } });
  run("npm", ["install", "--omit=optional", "--no-audit", "--no-fund"], site, npm);
  assert.deepEqual(installedAddons(site), []);
  const program = 'try { require("portier-client"); } catch ({ message }) { console.log(message); }';
  const message = run(process.execPath, ["-e", program], site);
  assert.match(message, new RegExp(`^portier-client has no native addon here: install ${ADDON_PACKAGE}, `));
  // Following the advice is enough.
  run("npm", ["install", ADDON_PACKAGE, "--omit=optional", "--no-audit", "--no-fund"], site, npm);
  writeFileSync(path.join(site, "cjs.cjs"), PROGRAMS["cjs.cjs"]);
  assert.equal(run(process.execPath, ["cjs.cjs"], site), LOGGED_IN);
});

test("a package with the name of an addon, but without the scope, is not loaded", () => {
  const { npm, makeSite } = published;
  const site = makeSite({ dependencies: { "portier-client": "*" } });
  run("npm", ["install", "--omit=optional", "--no-audit", "--no-fund"], site, npm);
  const other = path.join(site, "node_modules", `portier-client-${TARGET}`);
  mkdirSync(other);
  writeFileSync(path.join(other, "index.js"), 'console.log("loaded");');
  const program = 'try { require("portier-client"); } catch { console.log("refused"); }';
  assert.equal(run(process.execPath, ["-e", program], site), "refused\n");
});

/** The targets with the system and processor of this one, and the same C library if the manager looks at it. */
function fitting(ignoresLibc) {
  const here = TARGETS.find(({ name }) => name === TARGET);
  const same = TARGETS.filter(({ os, cpu }) => os === here.os && cpu === here.cpu);
  return same.map(({ name }) => name).filter((name) => ignoresLibc || name === TARGET);
}

/** The platforms whose addons were installed. */
function installedAddons(site) {
  const folders = [
    ...["node_modules", "node_modules/.pnpm/node_modules", "node_modules/.deno/node_modules"].map((name) =>
      path.join(site, name, "@portier-client"),
    ),
    ...unplugged(path.join(site, ".yarn/unplugged")),
  ];
  return [...new Set(folders.filter((name) => existsSync(name)).flatMap((name) => readdirSync(name)))];
}

function unplugged(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => path.join(folder, name, "node_modules/@portier-client"));
}
