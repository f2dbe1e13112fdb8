// Runs the suites of a built package.
//
//   node scripts/test.mjs              on this Node
//   node scripts/test.mjs --runtimes   on the runtimes of tests/runtimes
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, statSync } from "node:fs";
import path from "node:path";

const HERE = path.resolve(import.meta.dirname, "..");
const RUNTIMES = path.join(HERE, "tests/runtimes/node_modules/.bin");
// The limits for one file, and for all of them one after the other.
const LIMIT_MS = 10 * 60 * 1000;
const LIMIT_OF_ALL_MS = 40 * 60 * 1000;

const OF_NODE = {
  "a process without threads": "it takes a limit of Linux that other runtimes do not start with",
  "what is said where the addon cannot be loaded": "it is about Node's flags and reports",
  "what becomes garbage": "it takes Node's flags to see it",
  "a site that is loaded twice": "their call stacks do not name the loader of modules",
};
// Tests that do not run there, and the reason.
const OTHERS = {
  node: { command: ["--test", "--test-reporter=dot"], leavesOut: {} },
  bun: { command: ["test", "--timeout", "300000"], leavesOut: OF_NODE },
  deno: {
    command: ["test", "--quiet", "--allow-all", "--no-check"],
    leavesOut: {
      ...OF_NODE,
      "the status of a program stopped by a signal":
        "its node:child_process gives the signal that was sent in place of the status",
      "a request to Fastify that names its target as a whole URL": "it is answered before Fastify sees it",
    },
  },
};
// They measure memory or time, or start hundreds of workers and processes: each file runs alone.
const ALONE = [
  "client/concurrency",
  "client/exit",
  "client/frozen",
  "client/memory",
  "client/processes",
  "client/reload",
  "client/time",
  "client/workers",
  "stores/faulty",
  "stores/lifetimes",
].map((name) => `./tests/${name}.test.mjs`);
// The number of concurrent files that keeps two processors busy.
const AT_ONCE = 2;
// Large numbers are for Node only; on the other runtimes a few are enough.
const SMALL = { PORTIER_TEST_CALLS: "40000", PORTIER_TEST_PROCESSES: "20", PORTIER_TEST_WORKERS: "20" };

const FOLDERS = [
  ...["client", "package", "stores", "testing", "tools", "web"].map((name) => `tests/${name}`),
  // The tests of the example sites, but for those that need Jest or Vitest.
  ...readdirSync(path.join(HERE, "examples")).map((name) => `examples/${name}`),
];
const suites = FOLDERS.filter((folder) => statSync(path.join(HERE, folder)).isDirectory()).flatMap((folder) =>
  readdirSync(path.join(HERE, folder))
    .filter((name) => name.endsWith(".test.mjs"))
    .map((name) => `./${folder}/${name}`),
);

process.exitCode = process.argv.includes("--runtimes") ? await onOthers() : onThisNode();

function onThisNode() {
  const others = suites.filter((suite) => !ALONE.includes(suite));
  return Math.max(runHere(others, AT_ONCE), runHere(ALONE, 1));
}

function runHere(files, atOnce) {
  const limits = ["--test-timeout", String(LIMIT_MS), "--test-concurrency", String(atOnce)];
  const { status } = spawnSync(process.execPath, ["--test", "--test-reporter=spec", ...limits, ...files], {
    cwd: HERE,
    env: environment({}),
    stdio: "inherit",
    timeout: LIMIT_OF_ALL_MS,
  });
  return status === 0 ? 0 : 1;
}

async function onOthers() {
  let status = 0;
  for (const [name, { command, leavesOut }] of Object.entries(OTHERS)) {
    const runtime = path.join(RUNTIMES, name);
    if (!existsSync(runtime)) {
      console.error(`${name} is not there: run \`npm ci\` in tests/runtimes`);
      return 1;
    }
    console.log(`\n${name} ${version(runtime)}`);
    for (const [what, reason] of Object.entries(leavesOut)) console.log(`  left out: ${what}: ${reason}`);
    const files = suites.filter((suite) => !/\/(package|tools)\//.test(suite));
    const others = files.filter((suite) => !ALONE.includes(suite));
    const runFiles = async (queue) => {
      for (let suite; (suite = queue.shift()) !== undefined; ) {
        if (!(await passes(runtime, command, suite))) status = 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, () => runFiles(others)));
    await runFiles([...ALONE]);
  }
  return status;
}

/** Runs a file; shows its output only if it fails. */
async function passes(runtime, command, suite) {
  const child = spawn(runtime, [...command, suite], {
    cwd: HERE,
    env: environment(SMALL),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
  });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => said.push(piece));
  const [status] = await once(child, "close");
  console.log(`  ${status === 0 ? "ok" : "FAILED"} ${suite}`);
  if (status !== 0) console.log(Buffer.concat(said).toString());
  return status === 0;
}

function environment(more) {
  return { ...process.env, NO_COLOR: "1", ...more };
}

function version(runtime) {
  return /\d+\.\d+\.\d+/.exec(spawnSync(runtime, ["--version"], { encoding: "utf8" }).stdout)[0];
}
