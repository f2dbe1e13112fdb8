// Loading the package if its addon cannot be loaded.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

const HERE = new URL("../..", import.meta.url);
// Other runtimes have other flags and other reports.
const skip = "Bun" in globalThis || "Deno" in globalThis ? "it is about Node's flags" : false;
const WHY = `
  try {
    require(process.argv[1]);
    console.log("loaded");
  } catch ({ message, cause }) {
    const errors = cause?.errors ?? (cause ? [cause] : []);
    console.log(JSON.stringify({ message, causes: errors.map(({ message }) => message) }));
  }`;

let folder;
let dist;
let addon;
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), "portier-loader-"));
  dist = path.join(folder, "dist");
  cpSync(new URL("dist", HERE), dist, { recursive: true });
  addon = readdirSync(dist).find((name) => name.endsWith(".node"));
});
after(() => rmSync(folder, { recursive: true }));

function load(flags = [], before = "") {
  const args = [...flags, "-e", before + WHY, dist];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.deepEqual([status, stderr], [0, ""]);
  return stdout === "loaded\n" ? undefined : JSON.parse(stdout);
}

test("the package is two files and the addon, because each further file takes time and memory", { skip }, () => {
  const list = `require(process.argv[1]); console.log(Object.keys(require.cache).join("\\n"));`;
  const { stdout } = spawnSync(process.execPath, ["-e", list, dist], { encoding: "utf8" });
  const names = stdout.trim().split("\n").map((name) => path.basename(name));
  assert.deepEqual(names.sort(), ["index.js", "modules.js", addon].sort());
});

test("the file of a module has the exports of the package", { skip }, () => {
  const compare = `
    const [{ PortierError }, errors] = ["index", "errors"].map((name) => require(\`\${process.argv[1]}/\${name}.js\`));
    console.log(PortierError === errors.PortierError);`;
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", compare, dist], { encoding: "utf8" });
  assert.equal(stdout, "true\n", stderr);
});

// Bundlers rename a class that refers to itself.
test("classes have the same names in the package as in its sources", { skip }, () => {
  const list = `
    const modules = ["index", "step", "login-flow", "session", "errors"].map((name) => require(\`\${process.argv[1]}/\${name}.js\`));
    const named = modules.flatMap((exports) => Object.entries(exports)).filter(([name]) => /^[A-Z][a-z]/.test(name));
    console.log(named.filter(([name, value]) => typeof value === "function" && value.name !== name).map(String).join());`;
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", list, dist], { encoding: "utf8" });
  assert.equal(stdout, "\n", stderr);
});

test("without permission for addons the error names the flag", { skip }, () => {
  const allowed = process.allowedNodeEnvironmentFlags;
  const flag = allowed.has("--permission") ? "--permission" : "--experimental-permission";
  const flags = [flag, "--no-warnings", "--allow-fs-read=*"];
  const message =
    "portier-client is a native addon: run node without --no-addons, and with --allow-addons beside --permission";
  assert.equal(load(flags).message, message);
  assert.equal(load([...flags, "--allow-addons"]), undefined);
  assert.equal(load(["--no-addons"]).message, message);
});

test("a missing addon is named with every path that was tried", { skip }, () => {
  renameSync(path.join(dist, addon), path.join(folder, addon));
  const { message, causes } = load();
  const { platform, arch } = process;
  const target = addon.split(".")[1];
  assert.ok(message.startsWith(`portier-client has no native addon here: install @portier-client/${target}, an optional dependency `), message);
  assert.ok(message.includes(` platform=${platform}-${arch} `), message);
  assert.ok(message.includes(`./portier-client.${target}.node,@portier-client/${target}`), message);
  if (platform === "linux") assert.match(message, / libc=(glibc-\d+\.\d+|musl) tried=\S+-gnu\S+-musl$/);
  assert.deepEqual(causes, []);
  // A second attempt in the same process does not find modules that were loaded in part.
  assert.deepEqual(load([], `try { require(process.argv[1]); } catch {}`), { message, causes });
});

test("an addon in a platform package is found", { skip }, () => {
  const target = addon.split(".")[1];
  const own = path.join(folder, "node_modules/@portier-client", target);
  mkdirSync(own, { recursive: true });
  writeFileSync(path.join(own, "package.json"), JSON.stringify({ main: addon }));
  cpSync(path.join(folder, addon), path.join(own, addon));
  assert.equal(load(), undefined);
  rmSync(own, { recursive: true });
});

test("an addon in a package of other publishers is not loaded", { skip }, () => {
  const [, target] = addon.split(".");
  // The name without the scope, and a platform for which this project publishes nothing.
  const others = [`portier-client-${target}`, "portier-client-freebsd-x64", "@portier-client/freebsd-x64"];
  for (const name of others) {
    const own = path.join(folder, "node_modules", name);
    mkdirSync(own, { recursive: true });
    writeFileSync(path.join(own, "index.js"), `console.log("loaded ${name}")`);
  }
  assert.ok(load().message.startsWith("portier-client has no native addon here: "));
  const elsewhere = "Object.defineProperty(process, 'platform', { value: 'freebsd' });";
  const { message } = load([], elsewhere);
  assert.match(message, /^portier-client has no native addon here: none is published for this platform, so build it from source platform=/);
  assert.match(message, / tried=\.\/portier-client\.freebsd-\w+\.node$/);
  for (const name of others) rmSync(path.join(folder, "node_modules", name), { recursive: true });
});

test("an addon that cannot be loaded is not reported as missing", { skip }, () => {
  writeFileSync(path.join(dist, addon), "this is no addon");
  const { message, causes } = load();
  assert.match(message, /^portier-client cannot load its native addon platform=/);
  assert.ok(message.includes(`tried=./${addon}`), message);
  assert.equal(causes.length, 1);
  assert.ok(causes[0].includes(addon), causes[0]);
  renameSync(path.join(folder, addon), path.join(dist, addon));
  assert.equal(load(), undefined);
});
