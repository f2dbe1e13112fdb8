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
// What the core decides, in the same way on every runtime, and what runs beside a site. The integrations with `fetch`
// and Hono replay the vectors of the flow on Bun and Deno in `tests/faces`.
const ON_THIS_NODE = [
  "client/browsers",
  "client/command",
  "client/doctor",
  "client/properties",
  "client/readme",
  "client/sealed",
  "client/secrecy",
  "stores/check",
  "web/accounts",
  "web/demo",
  "web/refusals",
  "web/sealed_sites",
  "web/vectors",
].map((name) => `./tests/${name}.test.mjs`);
// They measure memory or time, or start hundreds of workers and processes. They run after the others, the longest first.
const APART = [
  "client/exit",
  "stores/lifetimes",
  "client/workers",
  "client/memory",
  "stores/faulty",
  "client/time",
  "client/concurrency",
  "client/frozen",
  "client/processes",
  "client/reload",
].map((name) => `./tests/${name}.test.mjs`);
// The number of concurrent files that keeps two processors busy.
const AT_ONCE = 2;
// Large numbers are for Node only; on the other runtimes a few are enough.
const SMALL = { PORTIER_TEST_CALLS: "40000", PORTIER_TEST_PROCESSES: "15", PORTIER_TEST_WORKERS: "20" };

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
  const others = suites.filter((suite) => !APART.includes(suite));
  return Math.max(runHere(others, AT_ONCE), runHere(APART, AT_ONCE));
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
  const lacking = Object.keys(OTHERS).find((name) => !existsSync(path.join(RUNTIMES, name)));
  if (lacking !== undefined) {
    console.error(`${lacking} is not there: run \`npm ci\` in tests/runtimes`);
    return 1;
  }
  for (const [name, { leavesOut }] of Object.entries(OTHERS)) {
    console.log(`\n${name} ${version(path.join(RUNTIMES, name))}`);
    for (const [what, reason] of Object.entries(leavesOut)) console.log(`  left out: ${what}: ${reason}`);
  }
  const files = suites.filter((suite) => !/\/(examples|package|tools)\//.test(suite) && !ON_THIS_NODE.includes(suite));
  const failures = [];
  for (const group of [files.filter((suite) => !APART.includes(suite)), APART]) {
    const queue = group.flatMap((suite) => Object.keys(OTHERS).map((name) => ({ name, suite })));
    const runFiles = async () => {
      for (let next; (next = queue.shift()) !== undefined; ) {
        await run(next, failures);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, runFiles));
  }
  // Once more, where the end of a long log shows it.
  for (const { title, output } of failures) console.log(`\n${title}\n${output}`);
  return failures.length === 0 ? 0 : 1;
}

/** Runs a file on a runtime; shows its output only if it fails. */
async function run({ name, suite }, failures) {
  const started = performance.now();
  const child = spawn(path.join(RUNTIMES, name), [...OTHERS[name].command, suite], {
    cwd: HERE,
    env: environment(SMALL),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
  });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => said.push(piece));
  const [status] = await once(child, "close");
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const title = `  ${status === 0 ? "ok" : "FAILED"} ${name} ${suite} ${seconds} s`;
  console.log(title);
  if (status === 0) return;
  const output = Buffer.concat(said).toString();
  console.log(output);
  failures.push({ title, output });
}

function environment(more) {
  return { ...process.env, NO_COLOR: "1", ...more };
}

function version(runtime) {
  return /\d+\.\d+\.\d+/.exec(spawnSync(runtime, ["--version"], { encoding: "utf8" }).stdout)[0];
}
