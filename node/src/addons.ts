import { createRequire } from "node:module";

/**
 * The platforms that have a package with an addon. Only these packages are loaded: anybody could register
 * the name of another one, were it not in the scope of this project.
 */
export const PUBLISHED: readonly string[] = [
  "darwin-arm64",
  "darwin-x64",
  "linux-arm64-gnu",
  "linux-arm64-musl",
  "linux-x64-gnu",
  "linux-x64-musl",
  "win32-arm64-msvc",
  "win32-x64-msvc",
];

/**
 * Loads the addon for a platform: beside this file, where it was built from source, or from its package.
 * Why it cannot be loaded is added to `failures`.
 *
 * Each name is a literal, so that bundlers and tools that copy what a program requires find the file, and
 * each call is in a `try` of its own, so that they accept that most of the files are missing.
 */
export function requireAddon(target: string, failures: unknown[]): unknown {
  switch (target) {
    case "darwin-arm64":
      try {
        return require("./portier-client.darwin-arm64.node");
      } catch (failure) {
        failures.push(failure);
      }
      try {
        return require("@portier-client/darwin-arm64");
      } catch (failure) {
        failures.push(failure);
      }
      return undefined;
    case "darwin-x64":
      try {
        return require("./portier-client.darwin-x64.node");
      } catch (failure) {
        failures.push(failure);
      }
      try {
        return require("@portier-client/darwin-x64");
      } catch (failure) {
        failures.push(failure);
      }
      return undefined;
    case "linux-arm64-gnu":
      try {
        return require("./portier-client.linux-arm64-gnu.node");
      } catch (failure) {
        failures.push(failure);
      }
      try {
        return require("@portier-client/linux-arm64-gnu");
      } catch (failure) {
        failures.push(failure);
      }
      return undefined;
    case "linux-arm64-musl":
      try {
        return require("./portier-client.linux-arm64-musl.node");
      } catch (failure) {
        failures.push(failure);
      }
      try {
        return require("@portier-client/linux-arm64-musl");
      } catch (failure) {
        failures.push(failure);
      }
      return undefined;
    case "linux-x64-gnu":
      try {
        return require("./portier-client.linux-x64-gnu.node");
      } catch (failure) {
        failures.push(failure);
      }
      try {
        return require("@portier-client/linux-x64-gnu");
      } catch (failure) {
        failures.push(failure);
      }
      return undefined;
    case "linux-x64-musl":
      try {
        return require("./portier-client.linux-x64-musl.node");
      } catch (failure) {
        failures.push(failure);
      }
      try {
        return require("@portier-client/linux-x64-musl");
      } catch (failure) {
        failures.push(failure);
      }
      return undefined;
    case "win32-arm64-msvc":
      try {
        return require("./portier-client.win32-arm64-msvc.node");
      } catch (failure) {
        failures.push(failure);
      }
      try {
        return require("@portier-client/win32-arm64-msvc");
      } catch (failure) {
        failures.push(failure);
      }
      return undefined;
    case "win32-x64-msvc":
      try {
        return require("./portier-client.win32-x64-msvc.node");
      } catch (failure) {
        failures.push(failure);
      }
      try {
        return require("@portier-client/win32-x64-msvc");
      } catch (failure) {
        failures.push(failure);
      }
      return undefined;
    default:
      try {
        // Not by `require`: bundlers would look for all files that the name could mean.
        return createRequire(__filename)(`./portier-client.${target}.node`);
      } catch (failure) {
        failures.push(failure);
      }
      return undefined;
  }
}
