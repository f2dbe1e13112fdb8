// Options of TypeDoc, for the reference of the npm package. This file is also its plugin.
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { Converter, ReflectionKind } from "typedoc";

const node = path.resolve(import.meta.dirname, "../../node");
const { name, exports } = JSON.parse(readFileSync(path.join(node, "package.json"), "utf8"));

/** The name of each entry point of the package, by its source. */
const entryPoints = new Map(
  Object.entries(exports)
    .filter(([, target]) => typeof target === "object")
    .map(([key, target]) => [sourceOf(target.require.types), path.posix.join(name, key)]),
);

export default {
  name,
  entryPoints: [...entryPoints.keys()],
  tsconfig: path.join(node, "tsconfig.json"),
  plugin: [fileURLToPath(import.meta.url)],
  readme: "none",
  navigationLinks: { Manual: "../../" },
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  // Their members are shown where they are used.
  intentionallyNotExported: [
    "Actions",
    "Answer",
    "CLASSES",
    "Header",
    "LoginOptions",
    "Paths",
    "RouteOptions",
    "StoreToCheck",
  ],
  treatWarningsAsErrors: true,
  githubPages: false,
  hideGenerator: true,
};

export function load({ converter }) {
  // A module has the name by which it is imported.
  converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (!reflection.kindOf(ReflectionKind.Module)) return;
    const [source] = context.getSymbolFromReflection(reflection)?.declarations ?? [];
    reflection.name = entryPoints.get(path.resolve(source?.fileName ?? "")) ?? reflection.name;
  });
  // Comments may link to what the package itself exports.
  converter.addUnknownSymbolResolver(({ symbolReference }, reflection, comment) => {
    const names = symbolReference?.path?.map((part) => part.path) ?? [];
    const find = (parent, wanted) => parent?.children?.find((child) => child.name === wanted);
    const target = [name, ...names].reduce(find, reflection.project);
    return comment && target && { target };
  });
}

function sourceOf(types) {
  return path.join(node, types.replace("./dist/", "src/").replace(".d.ts", ".ts"));
}
