// Runs the suites of a built package.
//
//   node scripts/test.mjs              on this Node
//   node scripts/test.mjs --runtimes   on the runtimes of tests/runtimes
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";

const HERE = path.resolve(import.meta.dirname, "..");
const RUNTIMES = path.join(HERE, "tests/runtimes/node_modules/.bin");
// For one file, and for all of them one after the other.
const LIMIT_MS = 10 * 60 * 1000;
const LIMIT_OF_ALL_MS = 40 * 60 * 1000;

const OF_NODE = {
  "a process without threads": "it takes a limit of Linux that other runtimes do not start with",
  "what is said where the addon cannot be loaded": "it is about Node's flags and reports",
  "what becomes garbage": "it takes Node's flags to see it",
  "a site that is loaded twice": "their call stacks do not name the loader of modules",
};
// What is told here is not run there, and why.
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
// The great numbers are for one runtime; on the others it matters that it works at all.
const SMALL = { PORTIER_TEST_CALLS: "40000", PORTIER_TEST_PROCESSES: "20", PORTIER_TEST_WORKERS: "20" };

const suites = ["client", "package", "stores", "tools", "web"].flatMap((folder) =>
  readdirSync(path.join(HERE, "tests", folder))
    .filter((name) => name.endsWith(".test.mjs"))
    .map((name) => `./tests/${folder}/${name}`),
);

process.exitCode = process.argv.includes("--runtimes") ? onOthers() : onThisNode();

function onThisNode() {
  return run(process.execPath, ["--test", "--test-reporter=spec", "--test-timeout", String(LIMIT_MS), ...suites], {});
}

function onOthers() {
  let failed = 0;
  for (const [name, { command, leavesOut }] of Object.entries(OTHERS)) {
    const runtime = path.join(RUNTIMES, name);
    if (!existsSync(runtime)) {
      console.error(`${name} is not there: run \`npm ci\` in tests/runtimes`);
      return 1;
    }
    console.log(`\n${name} ${version(runtime)}`);
    for (const [what, reason] of Object.entries(leavesOut)) console.log(`  left out: ${what}: ${reason}`);
    for (const suite of suites.filter((suite) => !/\/(package|tools)\//.test(suite))) {
      failed += run(runtime, [...command, suite], SMALL, suite);
    }
  }
  return failed === 0 ? 0 : 1;
}

/** Runs a suite; with a title, what it says is of interest only if it fails. */
function run(command, args, environment, title) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: HERE,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1", ...environment },
    maxBuffer: 2 ** 28,
    stdio: title === undefined ? "inherit" : "pipe",
    timeout: title === undefined ? LIMIT_OF_ALL_MS : LIMIT_MS,
  });
  if (title !== undefined) console.log(`  ${status === 0 ? "ok" : "FAILED"} ${title}`);
  if (title !== undefined && status !== 0) console.log(stdout + stderr);
  return status === 0 ? 0 : 1;
}

function version(runtime) {
  return /\d+\.\d+\.\d+/.exec(spawnSync(runtime, ["--version"], { encoding: "utf8" }).stdout)[0];
}
