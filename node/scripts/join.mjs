// Joins the modules that `index.js` loads into one file.
//
// Node finds, reads and compiles each file for itself, which takes 0.3 ms. For 34 files, its loader runs so often that V8
// optimizes it, and the optimizing compiler takes 4 MB of memory.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { buildSync } from "esbuild";

/** The file of the joined modules. Its export is a function that returns the exports of a module. */
const JOINED = "modules.js";

const OPTIONS = {
  bundle: true,
  platform: "node",
  target: "node20",
  external: ["*.node", "@portier-client/*"],
  write: false,
};

/**
 * Joins the modules of a folder that TypeScript has compiled. Their own files remain and return the exports of the same
 * modules.
 */
export function joinModules(dist) {
  const index = { ...OPTIONS, absWorkingDir: dist, entryPoints: ["index.js"], metafile: true };
  const names = Object.keys(buildSync(index).metafile.inputs).filter((name) => name !== "index.js");
  const modules = names.map((name) => `  "${name}": () => require("./${name}"),\n`);
  const contents = `const modules = {\n${modules.join("")}};\nmodule.exports = (name) => modules[name]();\n`;
  buildSync({ ...OPTIONS, absWorkingDir: dist, stdin: { contents, resolveDir: dist }, outfile: JOINED, write: true });
  for (const name of names) {
    const joined = path.posix.relative(path.posix.dirname(name), JOINED);
    const file = joined.startsWith(".") ? joined : `./${joined}`;
    writeFileSync(path.join(dist, name), `"use strict";\nmodule.exports = require("${file}")("${name}");\n`);
  }
  // Node reads the names of the exports from this file, so it stays, but requires the joined modules.
  const file = path.join(dist, "index.js");
  const text = readFileSync(file, "utf8").replaceAll(/require\("\.\/(.*?)"\)/g, `require("./${JOINED}")("$1")`);
  writeFileSync(file, text);
}
