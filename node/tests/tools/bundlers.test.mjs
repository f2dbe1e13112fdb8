// Tools that bundle a program, or copy its dependencies.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

import { ADDON, deploy, LIMIT_MS, makeSite, run } from "./site.mjs";

const require = createRequire(import.meta.url);
/** The marker at which Node looks for an embedded program, from its documentation. */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";
const options = { timeout: 2 * LIMIT_MS };

/** The result logs in, without any other files. */
function logsIn(site, program) {
  deploy(site);
  const { status, stdout, stderr } = run(program);
  assert.deepEqual([status, stdout], [0, "alice@example.com\n"], stderr);
}

test("a traced program has its addon, as with Next.js standalone", options, async (t) => {
  const { nodeFileTrace } = require("@vercel/nft");
  const site = makeSite(t);
  const { fileList } = await nodeFileTrace([site.program], { base: site.folder });
  assert.ok(fileList.has(`node_modules/portier-client/dist/${ADDON}`), [...fileList].join("\n"));
  for (const name of fileList) cpSync(path.join(site.folder, name), path.join(site.out, name));
  logsIn(site, path.join(site.out, "site.cjs"));
});

test("esbuild copies the addon", options, async (t) => {
  const site = makeSite(t);
  await esbuild(site, { loader: { ".node": "copy" } });
  logsIn(site, path.join(site.out, "site.js"));
});

test("esbuild can leave the package external", options, async (t) => {
  const site = makeSite(t);
  await esbuild(site, { external: ["portier-client"] });
  renameSync(path.join(site.folder, "node_modules"), path.join(site.out, "node_modules"));
  logsIn(site, path.join(site.out, "site.js"));
});

for (const format of ["cjs", "esm"]) {
  test(`a bundle without its addon says how to include it: ${format}`, options, async (t) => {
    const site = makeSite(t);
    await esbuild(site, { external: ["*.node"], format, outExtension: { ".js": format === "esm" ? ".mjs" : ".js" } });
    deploy(site);
    const { status, stderr } = run(path.join(site.out, readdirSync(site.out)[0]));
    assert.notEqual(status, 0);
    assert.match(stderr, format === "cjs" ? /portier-client was bundled without its native addon: mark the package as external/ : /Dynamic require|bundled without/);
  });
}

test("webpack copies the addon with node-loader", options, async (t) => {
  const webpack = require("webpack");
  const site = makeSite(t);
  const stats = await promisify(webpack)({
    entry: site.program,
    mode: "development",
    devtool: false,
    target: "node",
    node: { __dirname: false },
    output: { path: site.out, filename: "site.js" },
    module: { rules: [{ test: /\.node$/, loader: require.resolve("node-loader") }] },
  });
  assert.deepEqual(stats.toJson({ all: false, errors: true }).errors, []);
  logsIn(site, path.join(site.out, "site.js"));
});

test("ncc copies the addon", options, (t) => {
  const site = makeSite(t);
  const built = run(require.resolve("@vercel/ncc/dist/ncc/cli.js"), ["build", site.program, "--out", site.out, "--no-cache"]);
  assert.equal(built.status, 0, built.stderr + built.stdout);
  logsIn(site, path.join(site.out, readdirSync(site.out).find((name) => /^index\.c?js$/.test(name))));
});

test("bun puts the addon into its executable", options, (t) => {
  const site = makeSite(t);
  const bun = path.join(import.meta.dirname, "../runtimes/node_modules/.bin/bun");
  const executable = path.join(site.out, "site");
  const how = { encoding: "utf8", timeout: LIMIT_MS };
  const built = spawnSync(bun, ["build", "--compile", site.program, "--outfile", executable], how);
  assert.equal(built.status, 0, built.stderr);
  deploy(site);
  const { status, stdout, stderr } = spawnSync(executable, how);
  assert.deepEqual([status, stdout], [0, "alice@example.com\n"], stderr);
});

test("a single executable loads the addon beside it", options, async (t) => {
  const { inject } = require("postject");
  const site = makeSite(t);
  const loadsFiles = "require = require('node:module').createRequire(__filename);";
  await esbuild(site, { loader: { ".node": "copy" }, banner: { js: loadsFiles } });
  const [main, output, sea] = ["site.js", "site.blob", "sea.json"].map((name) => path.join(site.out, name));
  writeFileSync(sea, JSON.stringify({ main, output, disableExperimentalSEAWarning: true }));
  const made = run("--experimental-sea-config", [sea], { cwd: site.out });
  assert.equal(made.status, 0, made.stderr);
  const executable = path.join(site.out, "site");
  cpSync(process.execPath, executable);
  await inject(executable, "NODE_SEA_BLOB", readFileSync(output), { sentinelFuse: FUSE });
  for (const name of [main, output, sea]) rmSync(name);
  deploy(site);
  const { status, stdout, stderr } = spawnSync(executable, { encoding: "utf8", timeout: LIMIT_MS });
  assert.deepEqual([status, stdout], [0, "alice@example.com\n"], stderr);
});

function esbuild(site, changes) {
  return require("esbuild").build({
    entryPoints: [site.program],
    bundle: true,
    format: "cjs",
    logLevel: "error",
    outdir: site.out,
    platform: "node",
    ...changes,
  });
}
