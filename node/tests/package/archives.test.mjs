// The archives that are published, and what must agree with them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { pack, TARGETS } from "../../scripts/pack.mjs";

const HERE = path.resolve(import.meta.dirname, "../..");
const manifest = JSON.parse(readFileSync(path.join(HERE, "package.json"), "utf8"));
const NAMES = TARGETS.map(({ name }) => name);

let folder;
let main;
let platforms;
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), "portier-client-archives-"));
  const addon = path.join(folder, "addon");
  for (const file of [addon, ...["THIRD-PARTY-NOTICES.txt", "sbom.cdx.json"].map((name) => path.join(folder, name))]) {
    writeFileSync(file, "no addon");
  }
  [main, ...platforms] = pack(folder, Object.fromEntries(NAMES.map((name) => [name, addon])));
});
after(() => rmSync(folder, { recursive: true }));

test("publint and attw find nothing", () => {
  for (const archive of [main, ...platforms]) {
    const { stdout } = succeeds("publint", ["--strict", archive]);
    assert.match(stdout, /All good!/);
  }
  succeeds("attw", [main]);
});

test("the package without an addon depends on the package of each platform, in its own version", () => {
  const { optionalDependencies, dependencies, scripts, devDependencies } = manifestOf(main);
  assert.deepEqual(optionalDependencies, Object.fromEntries(NAMES.map((name) => [`@portier-client/${name}`, manifest.version])));
  assert.deepEqual([dependencies, scripts, devDependencies], [undefined, undefined, undefined]);
  assert.ok(!filesOf(main).some((name) => name.endsWith(".node")));
});

test("packing again gives the same bytes", () => {
  const again = mkdtempSync(path.join(folder, "again-"));
  const archives = pack(again, { [NAMES[0]]: path.join(folder, "addon") });
  assert.equal(archives.length, 2);
  for (const archive of archives) {
    assert.deepEqual(readFileSync(archive), readFileSync(path.join(folder, path.basename(archive))));
  }
});

test("each file of the package has a source or is documentation", () => {
  const sources = (name) => [
    ["src", name.replace(/(\.d)?\.[jt]s$/, ".ts")],
    ["esm", name],
  ];
  const compiled = filesOf(main).filter((name) => name.startsWith("dist/"));
  assert.ok(compiled.includes("dist/loader.js"));
  // `scripts/join.mjs` writes it.
  compiled.splice(compiled.indexOf("dist/modules.js"), 1);
  const stray = compiled.filter(
    (name) => !sources(name.slice("dist/".length)).some(([place, file]) => existsSync(path.join(HERE, place, file))),
  );
  assert.deepEqual(stray, []);
  const others = filesOf(main).filter((name) => !name.startsWith("dist/"));
  assert.deepEqual(others.sort(), ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json"]);
});

test("the package of a platform is installed on that platform only, and has its addon and what is linked into it", () => {
  for (const [index, { name, os, cpu, libc }] of TARGETS.entries()) {
    const own = manifestOf(platforms[index]);
    assert.equal(own.name, `@portier-client/${name}`);
    assert.deepEqual([own.os, own.cpu, own.libc], [[os], [cpu], libc && [libc]]);
    assert.deepEqual([own.version, own.license, own.engines], [manifest.version, manifest.license, manifest.engines]);
    const files = [`portier-client.${name}.node`, "sbom.cdx.json"];
    const texts = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "THIRD-PARTY-NOTICES.txt", "package.json"];
    assert.deepEqual(filesOf(platforms[index]).sort(), [...texts, ...files]);
    assert.equal(own.main, `portier-client.${name}.node`);
  }
});

test("every package names the repository, which provenance needs", () => {
  const { repository } = manifest;
  for (const archive of [main, ...platforms]) assert.deepEqual(manifestOf(archive).repository, repository);
  const cargo = readFileSync(path.join(HERE, "../Cargo.toml"), "utf8");
  const [, url] = /^repository = "(.*)"$/m.exec(cargo);
  assert.deepEqual(repository, { type: "git", url: `git+${url}.git`, directory: "node" });
});

test("the loader knows the same platforms, and requires each by literal names", () => {
  const { PUBLISHED } = createRequire(import.meta.url)("../../dist/addons.js");
  assert.deepEqual(PUBLISHED, NAMES);
  const source = readFileSync(path.join(HERE, "src/addons.ts"), "utf8");
  const required = [...source.matchAll(/\brequire\((.*)\);/g)].map(([, name]) => name);
  const expected = NAMES.flatMap((name) => [`"./portier-client.${name}.node"`, `"@portier-client/${name}"`]);
  assert.deepEqual(required, expected);
});

test("the version is the workspace's", () => {
  const done = spawnSync("cargo", ["metadata", "--no-deps", "--format-version=1"], { cwd: HERE, encoding: "utf8", maxBuffer: 2 ** 26 });
  assert.equal(done.status, 0, done.stderr);
  for (const member of JSON.parse(done.stdout).packages) assert.equal(member.version, manifest.version);
});

function manifestOf(archive) {
  return JSON.parse(tar(["-xzOf", archive, "package/package.json"]));
}

function filesOf(archive) {
  return tar(["-tzf", archive])
    .trim()
    .split("\n")
    .map((name) => name.replace(/^package\//, ""));
}

function tar(args) {
  const { status, stdout, stderr } = spawnSync("tar", args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout;
}

function succeeds(name, args) {
  const done = spawnSync(path.join(HERE, "node_modules/.bin", name), args, { cwd: HERE, encoding: "utf8", maxBuffer: 2 ** 26 });
  assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`);
  return done;
}
