// Packs what is published: `portier-client`, and for each platform a package with its addon.
//
//   node scripts/pack.mjs DIRECTORY [TARGET=ADDON …]
//
// Without arguments for addons, these are the files in dist/. Notices and a bill of materials beside an addon go into
// its package.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";

import { joinModules } from "./join.mjs";

const HERE = path.resolve(import.meta.dirname, "..");
const ROOT = path.join(HERE, "..");
const LICENCES = ["LICENSE-APACHE", "LICENSE-MIT"];
const OF_AN_ADDON = ["THIRD-PARTY-NOTICES.txt", "sbom.cdx.json"];

/** The platforms that have a package. */
export const TARGETS = JSON.parse(readFileSync(path.join(ROOT, "release/targets.json"), "utf8"));

if (import.meta.filename === path.resolve(process.argv[1] ?? "")) {
  const [directory, ...pairs] = process.argv.slice(2);
  if (directory === undefined) throw new Error("usage: node scripts/pack.mjs DIRECTORY [TARGET=ADDON ...]");
  const addons = pairs.length > 0 ? Object.fromEntries(pairs.map((pair) => pair.split("="))) : builtAddons();
  for (const tarball of pack(directory, addons)) console.log(tarball);
}

/** The addons that `scripts/build.mjs` has made: the file for each target. */
export function builtAddons() {
  const dist = path.join(HERE, "dist");
  const files = readdirSync(dist).filter((name) => name.endsWith(".node"));
  return Object.fromEntries(files.map((name) => [name.split(".")[1], path.join(dist, name)]));
}

/**
 * Writes the archives into a directory, and returns their paths. The package without addons comes first. Its
 * JavaScript is compiled, or copied from the folder `compiled`.
 */
export function pack(directory, addons, { compiled } = {}) {
  mkdirSync(directory, { recursive: true });
  const staging = mkdtempSync(path.join(tmpdir(), "portier-client-pack-"));
  try {
    const main = JSON.parse(readFileSync(path.join(HERE, "package.json"), "utf8"));
    const folders = [stageMain(staging, main, compiled)];
    for (const [name, addon] of Object.entries(addons)) folders.push(stagePlatform(staging, main, name, addon));
    const npm = process.env.NPM ?? "npm";
    const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", path.resolve(directory)];
    const packed = execFileSync(npm, [...args, ...folders.map((folder) => `./${folder}`)], {
      cwd: staging,
      encoding: "utf8",
      // It lists each file on standard error.
      stdio: ["ignore", "pipe", "ignore"],
    });
    const listed = JSON.parse(packed);
    return Object.values(listed).map(({ filename }) => path.join(directory, filename));
  } finally {
    rmSync(staging, { recursive: true });
  }
}

function stageMain(staging, { devDependencies: _, scripts: __, ...manifest }, compiled) {
  const optionalDependencies = Object.fromEntries(
    TARGETS.map(({ name }) => [`@portier-client/${name}`, manifest.version]),
  );
  stage(staging, "main", { ...manifest, optionalDependencies });
  cpSync(path.join(HERE, "README.md"), path.join(staging, "main/README.md"));
  const dist = path.join(staging, "main/dist");
  if (compiled !== undefined) {
    cpSync(compiled, dist, { recursive: true, filter: (name) => !name.endsWith(".node") });
    return "main";
  }
  // Compiled again, because dist/ may have files of older sources.
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "--outDir", dist], { cwd: HERE, stdio: "inherit" });
  joinModules(dist);
  cpSync(path.join(HERE, "esm"), dist, { recursive: true });
  return "main";
}

function stagePlatform(staging, { version, license, engines, repository }, name, addon) {
  const target = TARGETS.find((target) => target.name === name);
  if (target === undefined) throw new Error(`no such target target=${name}: see release/targets.json`);
  const file = `portier-client.${name}.node`;
  const accompanying = OF_AN_ADDON.filter((document) => existsSync(path.join(path.dirname(addon), document)));
  stage(staging, name, {
    name: `@portier-client/${name}`,
    version,
    description: `The native addon of portier-client for ${name}`,
    license,
    repository,
    engines,
    os: [target.os],
    cpu: [target.cpu],
    ...(target.libc && { libc: [target.libc] }),
    type: "commonjs",
    main: file,
    files: [file, ...LICENCES, ...accompanying],
    // Systems cannot load an addon from an archive.
    preferUnplugged: true,
    publishConfig: { access: "public" },
  });
  writeFileSync(
    path.join(staging, name, "README.md"),
    `# @portier-client/${name}\n\nThe native addon of portier-client for ${name}. ` +
      "Install portier-client, which installs the package for your platform.\n",
  );
  cpSync(addon, path.join(staging, name, file));
  for (const document of accompanying) cpSync(path.join(path.dirname(addon), document), path.join(staging, name, document));
  return name;
}

function stage(staging, folder, manifest) {
  mkdirSync(path.join(staging, folder));
  writeFileSync(path.join(staging, folder, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  for (const licence of LICENCES) cpSync(path.join(ROOT, licence), path.join(staging, folder, licence));
}
