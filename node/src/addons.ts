import { createRequire } from "node:module";

/** The platforms that have a package with an addon. Packages of other names are never loaded. */
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
 * Loads the addon for a platform: from this directory if it was built from source, else from its package.
 * Errors are added to `failures`.
 *
 * Bundlers and tools that copy dependencies find the files, because each name is a literal. They accept
 * that most of the files are missing, because each call has its own `try`.
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
        // Not `require`: bundlers would include every file that the name could mean.
        return createRequire(__filename)(`./portier-client.${target}.node`);
      } catch (failure) {
        failures.push(failure);
      }
      return undefined;
  }
}
