// Compiles the site, which has the decorators of TypeScript, and serves it.
//
// `demo.mjs`, one level up, serves it together with a development broker, which sends no mail.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import ts from "typescript";

import { fromEnvironment } from "../shared/environment.mjs";

/** Makes the application, as a request listener. */
export async function makeApp(client, secret, login = {}) {
  const { makeSite } = await compiled("site");
  const app = await makeSite(client, secret, login);
  return app.getHttpAdapter().getInstance();
}

/** What `tsc` does in a project. */
async function compiled(name) {
  const source = readFileSync(path.join(import.meta.dirname, `${name}.ts`), "utf8");
  const { ESNext: module, ES2022: target } = { ...ts.ModuleKind, ...ts.ScriptTarget };
  const compilerOptions = { module, target, experimentalDecorators: true, emitDecoratorMetadata: true };
  const { outputText } = ts.transpileModule(source, { compilerOptions });
  const file = path.join(import.meta.dirname, `${name}.compiled.mjs`);
  // Several processes of a site may compile it at once.
  writeFileSync(`${file}.${process.pid}`, outputText);
  renameSync(`${file}.${process.pid}`, file);
  return import(pathToFileURL(file).href);
}

/** Serves the site with the public broker, which sends real mails, or as the environment says. */
async function main() {
  const { client, cookieSecret, port, login } = fromEnvironment();
  const ready = () => console.log(`Open http://localhost:${port}`);
  (await makeApp(client, cookieSecret, login)).listen(port, "localhost", ready);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
