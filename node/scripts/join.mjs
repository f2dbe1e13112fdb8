// Joins the modules that `index.js` loads into one file.
//
// Node finds, reads and compiles each file for itself, which takes 0.3 ms. For 34 files, its loader runs so often that V8
// optimizes it, and the optimizing compiler takes 4 MB of memory.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

/** The file of the joined modules. Its export is a function that returns the exports of a module. */
const JOINED = "modules.js";

const REQUIRED = /\brequire\("(\.{1,2}\/[^"]+\.js)"\)/g;

/**
 * Joins the modules of a folder that TypeScript has compiled. Their own files remain and return the exports of the same
 * modules.
 */
export function joinModules(dist) {
  const sources = new Map();
  collect(dist, "index.js", sources);
  sources.delete("index.js");
  write(dist, JOINED, joined(sources));
  for (const name of readdirSync(dist, { recursive: true }).map((name) => name.replaceAll("\\", "/"))) {
    if (sources.has(name)) write(dist, name, `"use strict";\nmodule.exports = ${call(name, name)};\n`);
    else if (name.endsWith(".js") && name !== JOINED) write(dist, name, rewritten(name, read(dist, name), sources));
  }
}

/** Collects a module and those that it requires, with their sources. */
function collect(dist, name, sources) {
  if (sources.has(name)) return;
  const source = read(dist, name);
  sources.set(name, source);
  for (const [, required] of source.matchAll(REQUIRED)) collect(dist, resolve(name, required), sources);
}

function joined(sources) {
  const modules = [...sources].map(([name, source]) => {
    const code = withoutComments(source).replace(REQUIRED, (_, required) => `requireModule("${resolve(name, required)}")`);
    // V8 compiles a function in parentheses at once, rather than reading it twice.
    return `  "${name}": (function (exports) {\n${code.replace('"use strict";\n', "")}  }),\n`;
  });
  return `"use strict";
const modules = {
${modules.join("")}};
const loaded = {};
function requireModule(name) {
  if (loaded[name] === undefined) {
    loaded[name] = {};
    try {
      modules[name](loaded[name]);
    } catch (error) {
      // As in Node, the next call tries again.
      delete loaded[name];
      throw error;
    }
  }
  return loaded[name];
}
module.exports = requireModule;
`;
}

/** The source in ASCII, without comments. V8 keeps it, and takes two bytes for each character if one is not of Latin-1. */
function withoutComments(source) {
  const typescript = createRequire(import.meta.url)("typescript");
  const options = { removeComments: true, module: typescript.ModuleKind.CommonJS, target: typescript.ScriptTarget.ES2022 };
  const { outputText } = typescript.transpileModule(source, { compilerOptions: options, fileName: "module.js" });
  return outputText.replace(/[^\0-\x7F]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A file that is not joined, with the joined modules that it requires. */
function rewritten(name, source, sources) {
  return source.replace(REQUIRED, (text, required) => {
    const target = resolve(name, required);
    return sources.has(target) ? call(name, target) : text;
  });
}

/** The call with which a file requires a joined module. */
function call(from, name) {
  const relative = path.posix.relative(path.posix.dirname(from), JOINED);
  return `require("${relative.startsWith(".") ? relative : `./${relative}`}")("${name}")`;
}

function resolve(from, required) {
  return path.posix.join(path.posix.dirname(from), required);
}

function read(dist, name) {
  return readFileSync(path.join(dist, name), "utf8");
}

function write(dist, name, text) {
  writeFileSync(path.join(dist, name), text);
}
