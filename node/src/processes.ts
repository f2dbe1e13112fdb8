import { isMainThread } from "node:worker_threads";

const WHAT_TO_DO =
  "a login that is started in one process, thread or client cannot be completed in another; give them a store " +
  'they share, such as store: "sqlite:////var/lib/site/logins.db" or store: "redis://…"';

/** The clients that modules made while they were loaded, by site; the same for every copy of this package. */
const LOADED = Symbol.for("portier-client.loaded");

type Loaded = Map<string, WeakRef<Site>>;

/** What there is to know of a client. */
export interface Site {
  readonly redirectUri: string;
  readonly broker: string;
  readonly store: object;
  toJSON(): { destroyed: boolean };
}

let warned = false;

/**
 * Warns, once, of a memory store in what looks like one of several processes or threads that serve a site, or
 * like a site that is loaded twice: most logins would fail.
 */
export function warnOfMemoryStore(site: Site): void {
  const twice = isLoadedTwice(site) ? "this site was loaded twice and made a client each time" : undefined;
  const sign = signOfOthers() ?? twice;
  if (sign === undefined || warned) return;
  warned = true;
  process.emitWarning(`pending logins are in the memory of one client, but ${sign}: ${WHAT_TO_DO}`, {
    type: "PortierWarning",
    code: "PORTIER_MEMORY_STORE",
  });
}

function signOfOthers(): string | undefined {
  // PM2 says how many it runs, in a cluster as well.
  if (process.env["pm_id"] !== undefined) {
    const instances = instancesOfPm2(process.env["instances"]);
    return instances > 1 ? `PM2 runs ${instances} processes` : undefined;
  }
  if (isClusterWorker()) return "it is the worker of a cluster";
  const concurrency = process.env["WEB_CONCURRENCY"]?.trim() ?? "";
  if (/^\d+$/.test(concurrency) && Number(concurrency) > 1) return `WEB_CONCURRENCY is ${concurrency}`;
  // Test runners and development servers have a whole site in a thread.
  const alone = ["development", "test"].includes(process.env["NODE_ENV"] ?? "");
  return isMainThread || alone ? undefined : "it is in a worker thread";
}

/** `max`, zero and less are counted from the number of processors. */
function instancesOfPm2(instances = "1"): number {
  const count = instances === "max" ? 0 : Number(instances);
  if (count > 0) return count;
  return (require("node:os") as typeof import("node:os")).availableParallelism() + count;
}

/** Whether another client of the site is still in use, and both were made while a module was loaded. */
function isLoadedTwice(site: Site): boolean {
  if (!isLoading()) return false;
  const shared = globalThis as { [LOADED]?: Loaded };
  const loaded = (shared[LOADED] ??= new Map());
  const key = JSON.stringify([site.redirectUri, site.broker]);
  const before = loaded.get(key)?.deref();
  loaded.set(key, new WeakRef(site));
  return before !== undefined && before.store !== site.store && !before.toJSON().destroyed;
}

/** Whether Node or a bundler is in the middle of loading the module that calls. */
function isLoading(): boolean {
  const limit = Error.stackTraceLimit;
  // Where nothing may be changed, this only sees less far.
  Reflect.set(Error, "stackTraceLimit", 50);
  const { stack = "" } = new Error("where this is");
  Reflect.set(Error, "stackTraceLimit", limit);
  return /node:internal\/modules\/|__webpack_require__|__turbopack|instantiateModule/.test(stack);
}

/** Loads `node:cluster`, which takes a while, only where it may say yes. */
function isClusterWorker(): boolean {
  return isConnected() && (require("node:cluster") as { isWorker: boolean }).isWorker;
}

/** Whether the process that started this one listens to it, as that of a cluster does. */
function isConnected(): boolean {
  try {
    return process.connected;
  } catch {
    // Some threads may not ask.
    return false;
  }
}
