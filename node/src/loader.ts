import { existsSync } from "node:fs";
import path from "node:path";

import { PUBLISHED, requireAddon } from "./addons.js";

/** Loads the addon for this platform, or throws an error that says what is missing. */
export function loadAddon(): unknown {
  const failures: unknown[] = [];
  const targets = targetsHere();
  for (const target of targets) {
    const addon = requireAddon(target, failures);
    if (addon !== undefined) return addon;
  }
  const causes = failures.filter((failure) => !targets.some((target) => isMissing(failure, target)));
  throw new Error(explanation(targets, causes), {
    cause: causes.length > 1 ? new AggregateError(causes) : causes[0],
  });
}

/** The names of the builds that may run here, the likeliest first. */
function targetsHere(): string[] {
  const { arch, platform } = process;
  switch (platform) {
    case "linux":
      // Trying both is faster than asking for the C library.
      return [`linux-${arch}-gnu`, `linux-${arch}-musl`];
    case "win32":
      return [`win32-${arch}-msvc`];
    default:
      return [`${platform}-${arch}`];
  }
}

/** Whether the file for a target does not exist. A single executable has only built-in modules. */
function isMissing(failure: unknown, target: string): boolean {
  return (
    failure instanceof Error &&
    ["MODULE_NOT_FOUND", "ERR_UNKNOWN_BUILTIN_MODULE"].includes(String(Reflect.get(failure, "code"))) &&
    failure.message.includes(target)
  );
}

function explanation(targets: string[], causes: unknown[]): string {
  if (causes.some(isNotAllowed)) {
    return (
      "portier-client is a native addon: run node without --no-addons, and with --allow-addons beside " +
      "--permission"
    );
  }
  const libc = libcHere();
  const platform = `platform=${process.platform}-${process.arch}`;
  const tried = targets.flatMap(namesOf).join(",");
  const facts = [platform, ...(libc ? [`libc=${libc}`] : []), `tried=${tried}`].join(" ");
  const isBroken = isBundled() ? causes.some(isNoAddon) : causes.length > 0;
  if (isBroken) return `portier-client cannot load its native addon ${facts}`;
  return `${advice(targets, libc)} ${facts}`;
}

function namesOf(target: string): string[] {
  const own = `./portier-client.${target}.node`;
  return PUBLISHED.includes(target) ? [own, `@portier-client/${target}`] : [own];
}

/** Says what to do about a missing addon. */
function advice(targets: string[], libc: string | undefined): string {
  if (isSingleExecutable()) {
    return (
      "portier-client does not find its native addon: in a single executable `require` loads built-in " +
      "modules only, so begin the program with `require = require('node:module').createRequire(__filename)` " +
      "and put the addon beside the executable"
    );
  }
  if (isBundled()) {
    return (
      "portier-client was bundled without its native addon: mark the package as external " +
      "(serverExternalPackages in Next.js, external in esbuild, Rollup and webpack), or have the bundler " +
      "copy .node files (--loader:.node=copy in esbuild, node-loader in webpack)"
    );
  }
  const wanted = libc?.startsWith("musl") ? "-musl" : "";
  const published = targets.find((target) => PUBLISHED.includes(target) && target.endsWith(wanted));
  if (published === undefined) {
    return "portier-client has no native addon here: none is published for this platform, so build it from source";
  }
  return (
    `portier-client has no native addon here: install @portier-client/${published}, an optional dependency that is ` +
    "left out with --omit=optional, and when node_modules or a lock file comes from another platform; if the " +
    "package was copied here by a tool, have it copy the .node file too"
  );
}

function isSingleExecutable(): boolean {
  try {
    // Runtimes without single executables have no such module.
    return (require("node:sea") as { isSea(): boolean }).isSea();
  } catch {
    return false;
  }
}

/** Whether a bundler has moved this code to another file. Bundled ES modules have no `__dirname`. */
function isBundled(): boolean {
  return (
    typeof __dirname === "undefined" ||
    !["addons.js", "loader.js"].every((name) => existsSync(path.join(__dirname, name)))
  );
}

/** Whether the file exists, but the system cannot load it. */
function isNoAddon(failure: unknown): boolean {
  return Reflect.get(Object(failure), "code") === "ERR_DLOPEN_FAILED";
}

function isNotAllowed(failure: unknown): boolean {
  return Reflect.get(Object(failure), "code") === "ERR_DLOPEN_DISABLED";
}

/** The C library, if the platform has several and the runtime knows which. */
function libcHere(): string | undefined {
  if (process.platform !== "linux") return undefined;
  const { report } = process as { report?: NodeJS.ProcessReport & { excludeNetwork?: boolean } };
  const excluded = report?.excludeNetwork;
  try {
    // Otherwise the report looks up the name of every host that the process is connected to.
    if (report) report.excludeNetwork = true;
    const { header } = report?.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
    return header.glibcVersionRuntime === undefined ? "musl" : `glibc-${header.glibcVersionRuntime}`;
  } catch {
    return undefined;
  } finally {
    if (report && excluded !== undefined) report.excludeNetwork = excluded;
  }
}
