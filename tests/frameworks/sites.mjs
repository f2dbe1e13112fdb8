// The sites: how each is built, and how it is served, in production and in development.
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const HERE = import.meta.dirname;
const PACKAGE = path.resolve(HERE, "../../node");
const NEWER = path.join(PACKAGE, "tests/runtimes/node_modules/node/bin/node");
const LIMIT_MS = 180_000;

/**
 * `folder` is that of the site, if it is not the name. `node` is the Node that the framework needs, `settings` are for its
 * server, and `headers` are those of a proxy. `deployed` is what is copied to another folder and served there, if the
 * build contains all that it needs. Programs of packages are found in `node_modules/.bin`.
 */
export const SITES = {
  next: {
    verify: "/auth/verify",
    build: ["next", "build"],
    deployed: ".next/standalone",
    serve: () => ["server.js"],
    develop: (port) => ["next", "dev", "--hostname=127.0.0.1", `--port=${port}`],
  },
  "react-router": {
    node: NEWER,
    build: ["react-router", "build"],
    serve: () => ["react-router-serve", "build/server/index.js"],
    develop: (port) => ["react-router", "dev", "--host=127.0.0.1", `--port=${port}`],
  },
  ...Object.fromEntries(
    ["express", "fastify"].map((platform) => [
      `nest-${platform}`,
      { folder: "nest", build: ["tsc"], serve: () => ["dist/main.js"], settings: { PLATFORM: platform } },
    ]),
  ),
  nitro: {
    build: ["nitro", "build"],
    deployed: ".output/server",
    serve: () => ["index.mjs"],
    develop: (port) => ["nitro", "dev", "--host=127.0.0.1", `--port=${port}`],
  },
  sveltekit: {
    node: NEWER,
    // It takes every request for one of https, unless a proxy says otherwise, and would refuse the login form.
    settings: { PROTOCOL_HEADER: "x-forwarded-proto" },
    headers: { "x-forwarded-proto": "http" },
    build: ["vite", "build"],
    serve: () => ["build/index.js"],
    develop: (port) => ["vite", "dev", "--host=127.0.0.1", `--port=${port}`],
  },
  astro: {
    node: NEWER,
    build: ["astro", "build"],
    serve: () => ["dist/server/entry.mjs"],
    develop: (port) => ["astro", "dev", "--host=127.0.0.1", `--port=${port}`],
  },
};

/** The folder of a site. */
function folderOf(name) {
  return path.join(HERE, SITES[name].folder ?? name);
}

/** Puts the built package into the folder of a site, as an installation would. */
export function install(name) {
  const installed = path.join(folderOf(name), "node_modules/portier-client");
  const dist = path.join(PACKAGE, "dist");
  rmSync(installed, { recursive: true, force: true });
  mkdirSync(installed, { recursive: true });
  cpSync(path.join(PACKAGE, "package.json"), path.join(installed, "package.json"));
  const isAddon = (file) => file.endsWith(".node");
  cpSync(dist, path.join(installed, "dist"), { recursive: true, filter: (file) => !isAddon(file) });
  // A debug build is large.
  for (const file of readdirSync(dist).filter(isAddon)) linkSync(path.join(dist, file), path.join(installed, "dist", file));
}

/** Builds a site, with other settings than those it is served with. */
export function build(name) {
  const { build, node = process.execPath } = SITES[name];
  const cwd = folderOf(name);
  const env = environment(node, { ORIGIN: "https://build.invalid", SESSION_SECRET: randomSecret() });
  const options = { cwd, env, encoding: "utf8", killSignal: "SIGKILL", timeout: LIMIT_MS };
  const { status, stdout, stderr, error } = spawnSync(node, program(cwd, build), options);
  if (status !== 0) throw new Error(`${name} was not built: ${error?.message ?? ""}\n${stdout}\n${stderr}`);
}

/** Serves a site until the test is over; `how` is "serve" or "develop". */
export async function serve(t, name, how, settings) {
  const { deployed, headers = {}, node = process.execPath, [how]: command, verify = "/verify" } = SITES[name];
  let cwd = folderOf(name);
  if (how === "serve" && deployed !== undefined) {
    const copy = mkdtempSync(path.join(tmpdir(), `${name}-`));
    t.after(() => rmSync(copy, { recursive: true }));
    cpSync(path.join(cwd, deployed), copy, { recursive: true });
    cwd = copy;
  }
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const place = { ORIGIN: origin, PORT: String(port), HOST: "127.0.0.1", HOSTNAME: "127.0.0.1" };
  const env = environment(node, { ...place, ...settings, ...SITES[name].settings });
  const child = spawn(node, program(cwd, command(port)), { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => said.push(piece));
  t.after(async () => {
    if (child.exitCode !== null) return;
    // Development servers start others, which are of the same group.
    process.kill(-child.pid, "SIGKILL");
    await once(child, "close");
  });
  const output = () => Buffer.concat(said).toString();
  await answers(origin, child, output);
  return { origin, verify: origin + verify, headers, output };
}

/** Waits until the site answers: a development server compiles at the first request. */
async function answers(origin, child, output) {
  const end = Date.now() + LIMIT_MS;
  while (child.exitCode === null && Date.now() < end) {
    const answer = await fetch(origin, { signal: AbortSignal.timeout(LIMIT_MS) }).catch(() => undefined);
    if (answer?.ok) return;
    await wait(100);
  }
  throw new Error(`the site does not answer: ${output()}`);
}

/** The arguments of Node that run a file, or a program of the installed packages. */
function program(cwd, [first, ...others]) {
  const script = path.join(cwd, first);
  return [existsSync(script) ? script : path.join(cwd, "node_modules/.bin", first), ...others];
}

function environment(node, more) {
  const quiet = { NEXT_TELEMETRY_DISABLED: "1", ASTRO_TELEMETRY_DISABLED: "1", NO_COLOR: "1", NODE_PATH: "" };
  // The programs of the frameworks start others.
  const { NODE_ENV: _, ...inherited } = process.env;
  return { ...inherited, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}`, ...quiet, ...more };
}

/** A secret for the sessions of a site. */
export function randomSecret() {
  return randomBytes(32).toString("base64url");
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
