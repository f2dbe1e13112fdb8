// The examples of the README and the manual, which run with the development broker in place of the public one.
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after } from "node:test";
import { pathToFileURL } from "node:url";

import { DevBroker } from "portier-client/testing";
import ts from "typescript";

export const ROOT = path.resolve(import.meta.dirname, "../../..");

// Files that the site of an example has.
process.env.SESSION_SECRET = randomBytes(32).toString("base64url");

// Inside the package, so that its own name resolves to it.
const workshop = mkdtempSync(path.join(import.meta.dirname, "documentation-"));
export const broker = new DevBroker({ mode: "accept" });
after(() => {
  broker.stop();
  rmSync(workshop, { recursive: true });
});

// The examples use the public broker; here the development broker answers.
const LOCAL = `
import { PortierClient as Public } from "portier-client";
export * from "portier-client";
export class PortierClient extends Public {
  constructor(options) {
    super({ broker: ${JSON.stringify(broker.origin)}, ...options });
  }
}
export default PortierClient;
`;
const local = write("local.mjs", LOCAL);

export function read(page) {
  return readFileSync(path.join(ROOT, page), "utf8");
}

/** The ```js and ```mjs blocks of a text; each is a separate module. */
export function examples(text) {
  return [...text.matchAll(/^```m?js\n(.*?)^```$/gms)].map(([, code]) => code);
}

/** The ```ts blocks of a text, compiled. */
export function typedExamples(text) {
  const { ESNext: module, ES2022: target } = { ...ts.ModuleKind, ...ts.ScriptTarget };
  const compilerOptions = { module, target, experimentalDecorators: true, emitDecoratorMetadata: true };
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)];
  return blocks.map(([, code]) => ts.transpileModule(code, { compilerOptions }).outputText);
}

export function section(page, title) {
  const text = read(page).split("\n## ").find((text) => text.startsWith(`${title}\n`));
  return examples(text)[0];
}

/** Runs an example; returns its exports, and always its `app` and `server`. */
export async function run(name, code) {
  const here = code
    .replaceAll('from "portier-client"', `from ${JSON.stringify(local)}`)
    .replaceAll("http://127.0.0.1:3333", broker.origin)
    .replaceAll(/port: \d+/g, "port: 0")
    .replaceAll(/listen\(\d+/g, "listen(0");
  const names = [...here.matchAll(/^const (app|server) = /gm)].map(([, name]) => name);
  const exported = names.length > 0 ? `\nexport { ${names.join(", ")} };` : "";
  return import(write(name, here + exported));
}

function write(name, text) {
  const file = path.join(workshop, name);
  writeFileSync(file, text);
  return pathToFileURL(file).href;
}
