// Rules of the addon that its compiler does not know.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

const SOURCE = path.resolve(import.meta.dirname, "../../../bindings/node/src");
const files = readdirSync(SOURCE, { recursive: true }).filter((name) => name.endsWith(".rs"));
const code = Object.fromEntries(files.map((name) => [name, withoutComments(readFileSync(path.join(SOURCE, name), "utf8"))]));

// napi-rs would lend `self`, which belongs to JavaScript, to a future that may outlive it.
test("ffi_31 no function of the addon is async, so that none borrows what JavaScript may free", () => {
  const exported = [];
  for (const [name, text] of Object.entries(code)) {
    for (const [, attribute, item] of text.matchAll(/#\[napi(?:\(([^\]]*)\))?\]\s*((?:#\[[^\]]*\]\s*)*pub [^{;]*)/g)) {
      exported.push(item);
      assert.doesNotMatch(item, /\basync\b/, name);
      assert.doesNotMatch(attribute ?? "", /async/, name);
    }
  }
  // That is a search which finds them.
  for (const known of ["pub fn verify(", "pub fn memory_store", "pub fn cancel"]) {
    assert.ok(exported.some((item) => item.startsWith(known)), known);
  }
});

test("ffi_31 operations move to the runtime in one place, which takes no future that borrows", () => {
  const makers = /\b(spawn_future\w*|execute_tokio_future|AsyncTask|create_deferred|JsDeferred|PromiseRaw::new|spawn_blocking|block_on|tokio::spawn)\b|(?<!:)\bspawn\((?!\))/;
  const found = Object.keys(code).filter((name) => makers.test(code[name]));
  assert.deepEqual(found, ["call.rs"]);
  assert.match(code["call.rs"], /F: Future<Output = Result<T>> \+ Send \+ 'static,/);
});

test("ffi_33 no static of the addon holds anything of one environment", () => {
  const statics = Object.values(code).flatMap((text) => [...text.matchAll(/^\s*(?:pub(?:\([^)]*\))? )?static (\w+): ([^=;]*)/gm)]);
  const types = Object.fromEntries(statics.map(([, name, type]) => [name, type.trim()]));
  assert.equal(types.NEXT, "AtomicU64");
  for (const [name, type] of Object.entries(types)) {
    assert.doesNotMatch(type, /\b(Env|Function|FunctionRef|Object|ObjectRef|Reference|Unknown|Js\w+)\b/, name);
  }
});

test("ffi_38 no function of JavaScript that is called from elsewhere can end the process by throwing", () => {
  const count = (text, pattern) => [...text.matchAll(pattern)].length;
  const built = (text) => count(text, /\.build_threadsafe_function\b/g);
  assert.equal(built(code["store/custom.rs"]), 1);
  for (const [name, text] of Object.entries(code)) {
    assert.equal(count(text, /\.callee_handled::<true>\(\)/g), built(text), name);
    // Nor does it keep the program running.
    assert.equal(count(text, /\.weak::<true>\(\)/g), built(text), name);
  }
});

test("ffi_30 napi is one that survives environments with promises under way", () => {
  const lock = readFileSync(path.join(SOURCE, "../../../Cargo.lock"), "utf8");
  const [, major, minor] = /name = "napi"\nversion = "(\d+)\.(\d+)\./.exec(lock);
  assert.ok(Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 16), `napi ${major}.${minor}`);
});

function withoutComments(text) {
  return text.replaceAll(/^\s*\/\/.*$/gm, "");
}
