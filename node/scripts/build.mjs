// Builds the package into dist/: the addon for this platform, the JavaScript, the types.
//
//   node scripts/build.mjs [--release [--published]]
//
// With `--published`, the addon is linked as that of the published packages.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

import { joinModules } from "./join.mjs";

const here = path.resolve(import.meta.dirname, "..");
const dist = path.join(here, "dist");
const release = process.argv.includes("--release");
const published = process.argv.includes("--published");

mkdirSync(dist, { recursive: true });
buildAddon();
execFileSync(process.execPath, [createRequire(import.meta.url).resolve("typescript/bin/tsc")], {
  cwd: here,
  stdio: "inherit",
});
joinModules(dist);
copyAll(path.join(here, "esm"), dist);
for (const licence of ["LICENSE-APACHE", "LICENSE-MIT"]) {
  copyFileSync(path.join(here, "..", licence), path.join(here, licence));
}

function buildAddon() {
  const cargo = process.env.CARGO ?? "cargo";
  const flags = ["--locked", "--quiet", "-p", "portier-client-node", "--message-format=json-render-diagnostics"];
  const command = release
    ? // Cargo strips only debug information from crates with an `opt-level` of their own.
      ["rustc", "--release", ...(published ? ["--features", "packages"] : []), ...flags, "--", "-Cstrip=symbols"]
    : // With the dependencies of the suites, which are compiled already.
      ["build", "--features", "suites", ...flags];
  const messages = execFileSync(cargo, command, {
    cwd: here,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const library = messages
    .split("\n")
    .filter((line) => line.includes("portier_client_node"))
    .map((line) => JSON.parse(line))
    .findLast(({ reason, target }) => reason === "compiler-artifact" && target.kind.includes("cdylib"))
    .filenames.find((name) => /\.(so|dylib|dll)$/.test(name));
  replace(library, path.join(dist, `portier-client.${target()}.node`));
}

// A process that has mapped the old file keeps it: the new file gets the name, not the inode.
function replace(from, to) {
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

function target() {
  const { arch, platform } = process;
  if (platform === "win32") return `win32-${arch}-msvc`;
  if (platform !== "linux") return `${platform}-${arch}`;
  const { glibcVersionRuntime } = process.report.getReport().header;
  return `linux-${arch}-${glibcVersionRuntime ? "gnu" : "musl"}`;
}

function copyAll(from, to) {
  for (const name of readdirSync(from)) copyFileSync(path.join(from, name), path.join(to, name));
}
