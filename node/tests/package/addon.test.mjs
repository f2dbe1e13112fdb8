// Rules of the addon that the compiler does not check.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";

const ROOT = path.resolve(import.meta.dirname, "../..");
const SOURCE = path.resolve(import.meta.dirname, "../../../bindings/node/src");
const files = readdirSync(SOURCE, { recursive: true }).filter((name) => name.endsWith(".rs"));
const code = Object.fromEntries(files.map((name) => [name, withoutComments(readFileSync(path.join(SOURCE, name), "utf8"))]));

// napi-rs would lend `self`, which belongs to JavaScript, to a future that may outlive it.
test("no function of the addon is async, so none borrows memory that JavaScript may free", () => {
  const exported = [];
  for (const [name, text] of Object.entries(code)) {
    for (const { attribute, item } of exports(text)) {
      exported.push(item);
      assert.doesNotMatch(item, /\basync\b/, name);
      assert.doesNotMatch(attribute, /async/, name);
    }
  }
  // Shows that the search finds such functions.
  for (const known of ["pub fn verify(", "pub fn memory_store", "pub fn cancel"]) {
    assert.ok(exported.some((item) => item.startsWith(known)), known);
  }
});

test("operations are spawned in one place, which accepts no borrowing future", () => {
  const makers = /\b(spawn_future\w*|execute_tokio_future|AsyncTask|create_deferred|JsDeferred|PromiseRaw::new|spawn_blocking|block_on|tokio::spawn|start_here|start_all)\b|(?<!:)\bspawn\((?!\))/;
  // A thread of the system is not a task.
  const spawns = (text) => makers.test(text.replaceAll("thread::Builder::new().spawn(", ""));
  const found = Object.keys(code).filter((name) => spawns(code[name]));
  assert.deepEqual(found, ["turn.rs"]);
  assert.match(code["turn.rs"], /^type Task = BoxFuture<'static, \(\)>;$/m);
  assert.doesNotMatch(readFileSync(path.join(SOURCE, "../../../Cargo.toml"), "utf8"), /^napi = .*tokio_rt/m);
  assert.match(code["call.rs"], /operation: impl Future<Output = Result<T>> \+ Send \+ 'static,\n\) -> Outcome<T>/);
});

test("every function of the addon catches panics", () => {
  const exported = Object.values(code).flatMap(exports);
  const uncontained = exported.filter(({ attribute }) => !/\bcatch_unwind\b/.test(attribute));
  assert.deepEqual(uncontained.map(({ item }) => item), []);
  // Shows that the search finds all of them: functions, getters, constructors, with attributes between.
  const sample = `
    #[napi(getter)]
    #[allow(deprecated, reason = "[sic]")]
    pub fn one(&self) {}
    #[napi(constructor, catch_unwind)] pub fn two() {}
    #[napi]
    pub struct Three {}`;
  assert.deepEqual(exports(sample).map(({ attribute }) => attribute), ["getter", "constructor, catch_unwind"]);
  const names = new Set(exported.map(({ item }) => camelCase(/fn (\w+)/.exec(item)[1])));
  const addon = createRequire(import.meta.url)(addonFile());
  const classes = Object.values(addon).filter((value) => typeof value === "function");
  const methods = classes.flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype ?? {}));
  const functions = Object.keys(addon).filter((name) => /^[a-z]/.test(name) && typeof addon[name] === "function");
  for (const name of [...functions, ...methods]) if (name !== "constructor") assert.ok(names.has(name), name);
});

test("a defect of the addon is an InternalError", async () => {
  const native = createRequire(import.meta.url)("../../dist/native.js").native;
  const internal = { name: "InternalError", code: "internal", message: "a defect in portier-client" };
  const run = `
    const { native } = require("./dist/native.js");
    try { native.panicInExport(); } catch ({ name, code }) { console.log(name, code); }`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", run], { cwd: ROOT, encoding: "utf8" });
  assert.deepEqual([status, stdout], [0, "InternalError internal\n"], stderr);
  assert.throws(() => native.memoryStore("many"), internal);
  assert.throws(() => new native.Cancellation().cancel.call({}), internal);
  assert.throws(() => Object.getOwnPropertyDescriptor(native.ManualClock.prototype, "now").get.call({}), internal);
});

test("no static of the addon holds values of one environment", () => {
  const statics = Object.values(code).flatMap((text) => [...text.matchAll(/^\s*(?:pub(?:\([^)]*\))? )?static (\w+): ([^=;]*)/gm)]);
  const types = Object.fromEntries(statics.map(([, name, type]) => [name, type.trim()]));
  assert.equal(types.NEXT, "AtomicU64");
  for (const [name, type] of Object.entries(types)) {
    assert.doesNotMatch(type, /\b(Env|Function|FunctionRef|Object|ObjectRef|Reference|Unknown|Js\w+)\b/, name);
  }
});

test("an exception in a threadsafe function does not end the process", () => {
  const count = (text, pattern) => [...text.matchAll(pattern)].length;
  const built = (text) => count(text, /\.build_threadsafe_function\b/g);
  assert.equal(built(code["store/caller.rs"]), 1);
  for (const [name, text] of Object.entries(code)) {
    assert.equal(count(text, /\.callee_handled::<true>\(\)/g), built(text), name);
    // The function does not keep the program running either.
    assert.equal(count(text, /\.weak::<true>\(\)/g), built(text), name);
  }
});

test("the version of napi allows environments to end with pending promises", () => {
  const lock = readFileSync(path.join(SOURCE, "../../../Cargo.lock"), "utf8");
  const [, major, minor] = /name = "napi"\nversion = "(\d+)\.(\d+)\./.exec(lock);
  assert.ok(Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 16), `napi ${major}.${minor}`);
});

/** The exported functions, with their attribute. */
function exports(text) {
  const pattern = /#\[napi(?:\(([^\]]*)\))?\]\s*(?:#\[(?:[^\]"]|"[^"]*")*\]\s*)*(pub (?:async )?fn [^{;]*)/g;
  return [...text.matchAll(pattern)].map(([, attribute = "", item]) => ({ attribute, item }));
}

function camelCase(name) {
  return name.replaceAll(/_[a-z]/g, (letters) => letters[1].toUpperCase());
}

function addonFile() {
  const dist = path.join(ROOT, "dist");
  return path.join(dist, readdirSync(dist).find((name) => name.endsWith(".node")));
}

function withoutComments(text) {
  return text.replaceAll(/^\s*\/\/.*$/gm, "");
}
