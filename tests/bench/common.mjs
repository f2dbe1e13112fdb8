// Shared code of the measurements in Node.
import { createRequire } from "node:module";
import path from "node:path";

export const PACKAGE = path.resolve(import.meta.dirname, "../../node");
/** Resolves modules like the package does. */
export const require = createRequire(path.join(PACKAGE, "package.json"));

export const EMAIL = "alice@example.com";
export const REDIRECT_URI = "http://localhost:8888/verify";
export const LOGINS = Number(process.env.LOGINS ?? 200);

/** A development broker of the addon: its methods return at once, and one of them measures. */
export function spawnBroker() {
  const { native } = require("./dist/native.js");
  return native.spawnDevBroker("127.0.0.1", 0, undefined, "page", 86_400_000, undefined);
}

/** The number of rounds; the environment may set another one. */
export function rounds(usual) {
  return Number(process.env.ROUNDS ?? usual);
}

export function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Runs all measures in each round, in rotating order. */
export async function inTurn(round, measures) {
  const times = {};
  const names = Object.keys(measures);
  for (let turn = 0; turn < names.length; turn++) {
    const name = names[(turn + round) % names.length];
    times[name] = await measures[name]();
  }
  return times;
}
