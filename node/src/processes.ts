const ADVICE =
  "a login that is started in one process, thread or client cannot be completed in another; give them the same " +
  'secret, or a store they share, such as store: "sqlite:////var/lib/site/logins.db" or store: "redis://…"';

/** The property with the clients that modules created while they were loaded, for all copies of this package. */
const LOADED = Symbol.for("portier-client.loaded");

type Loaded = Map<string, WeakRef<ClientInfo>>;

/** The members of a client that are needed here. */
export interface ClientInfo {
  readonly redirectUri: string;
  readonly broker: string;
  readonly store: object;
  toJSON(): { destroyed: boolean };
}

let warned = false;

/**
 * Why most logins of a client with a memory store would fail: there are signs that several processes or threads serve
 * the site, or that the site is loaded twice.
 */
export function doubtOfMemoryStore(client: ClientInfo): string | undefined {
  const twice = isLoadedTwice(client) ? "this site made two clients, perhaps because it was loaded twice" : undefined;
  return reasonOfProcesses() ?? twice;
}

/** Warns once. */
export function warnOfMemoryStore(reason: string): void {
  if (warned) return;
  warned = true;
  process.emitWarning(`pending logins are in the memory of one client, but ${reason}: ${ADVICE}`, {
    type: "PortierWarning",
    code: "PORTIER_MEMORY_STORE",
  });
}

/** Why there seem to be several processes or threads. */
function reasonOfProcesses(): string | undefined {
  // PM2 sets the number of processes, also for a cluster.
  if (process.env["pm_id"] !== undefined) {
    const instances = instancesOfPm2(process.env["instances"]);
    return instances > 1 ? `PM2 runs ${instances} processes` : undefined;
  }
  if (isClusterWorker()) return "it is the worker of a cluster";
  const concurrency = process.env["WEB_CONCURRENCY"]?.trim() ?? "";
  if (/^\d+$/.test(concurrency) && Number(concurrency) > 1) return `WEB_CONCURRENCY is ${concurrency}`;
  if (process.env["IN_PASSENGER"] !== undefined) return "Passenger runs several processes unless its pool has one";
  if (isServeWorkerOfDeno()) return "it is in one of several threads of deno serve";
  // Test runners and development servers run a whole site in one thread.
  const alone = ["development", "test"].includes(process.env["NODE_ENV"] ?? "");
  return alone || isMainThread() ? undefined : "it is in a worker thread";
}

/** Loads `node:worker_threads`, which loads the streams of Node, only when a client is made. */
function isMainThread(): boolean {
  return (require("node:worker_threads") as typeof import("node:worker_threads")).isMainThread;
}

/**
 * Whether this is a thread of `deno serve --parallel` other than the first one. Only its name says so, on Linux, and it may
 * only be read with a permission.
 */
function isServeWorkerOfDeno(): boolean {
  const { Deno: deno } = globalThis as { Deno?: { permissions: { querySync(of: object): { state: string } } } };
  const path = "/proc/thread-self/comm";
  if (deno?.permissions.querySync({ name: "read", path }).state !== "granted") return false;
  const { existsSync, readFileSync } = require("node:fs") as typeof import("node:fs");
  return existsSync(path) && readFileSync(path, "utf8").startsWith("serve-worker-");
}

/** `max` and 0 are the number of processors; a negative number is subtracted from it. */
function instancesOfPm2(instances = "1"): number {
  const count = instances === "max" ? 0 : Number(instances);
  if (count > 0) return count;
  return (require("node:os") as typeof import("node:os")).availableParallelism() + count;
}

/** Whether another client of the site is still in use, and both were created while a module was loaded. */
function isLoadedTwice(client: ClientInfo): boolean {
  if (!isLoading()) return false;
  const shared = globalThis as { [LOADED]?: Loaded };
  const loaded = (shared[LOADED] ??= new Map());
  const key = JSON.stringify([client.redirectUri, client.broker]);
  const before = loaded.get(key)?.deref();
  loaded.set(key, new WeakRef(client));
  return before !== undefined && before.store !== client.store && !before.toJSON().destroyed;
}

/** Whether Node or a bundler is loading the module that calls. */
function isLoading(): boolean {
  const limit = Error.stackTraceLimit;
  // If the limit cannot be changed, fewer callers are visible.
  Reflect.set(Error, "stackTraceLimit", 50);
  const { stack = "" } = new Error("where this is");
  Reflect.set(Error, "stackTraceLimit", limit);
  return /node:internal\/modules\/|__webpack_require__|__turbopack|instantiateModule/.test(stack);
}

/** Loads `node:cluster`, which takes time, only if this process may be a worker. */
function isClusterWorker(): boolean {
  return isConnected() && (require("node:cluster") as { isWorker: boolean }).isWorker;
}

/** Whether this process has a channel to its parent, as workers of a cluster have. */
function isConnected(): boolean {
  try {
    return process.connected;
  } catch {
    // Threads of some runtimes must not read it.
    return false;
  }
}
