// The types, from ESM and from CommonJS.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

const HERE = path.resolve(import.meta.dirname, "../..");
// Each with its own options of the compiler.
const CHECKS = [
  { names: ["checks", "fetch", "nest", "testing", "web"], skipLibCheck: false },
  // The types of Koa do not go together with those of Express 5: both need `content-disposition`, in other versions.
  { names: ["koa"], skipLibCheck: true },
];
// TypeScript 7 needs a quarter of the time. `make package` compiles with TypeScript 5.
const COMPILER = path.join(HERE, "tests/tools/node_modules/typescript-newest/bin/tsc");

const EXTENSIONS = ["mts", "cts"];

for (const { names, skipLibCheck } of CHECKS) {
  test(`the types hold from ESM and CommonJS: ${names.join(", ")}`, (context) => {
    // In the package's own folder, so that its name resolves. Together, the compiler reads other types once.
    const folder = mkdtempSync(path.join(HERE, "tests/types/check-"));
    context.after(() => rmSync(folder, { recursive: true }));
    const files = names.flatMap((name) => EXTENSIONS.map((extension) => [name, `${name}.${extension}`]));
    for (const [name, file] of files) copyFileSync(path.join(HERE, `tests/types/${name}.ts`), path.join(folder, file));
    const options = {
      extends: "../../../tsconfig.json",
      compilerOptions: {
        noEmit: true,
        rootDir: "../../..",
        skipLibCheck,
        exactOptionalPropertyTypes: true,
        // For NestJS.
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
      },
      files: files.map(([, file]) => file),
      include: [],
    };
    writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(options));
    succeeds([COMPILER, "--project", folder]);
  });
}

function succeeds(args) {
  const done = spawnSync(process.execPath, args, { cwd: HERE, encoding: "utf8", maxBuffer: 2 ** 26 });
  assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`);
  return done;
}

