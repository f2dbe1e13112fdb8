// Serves logins from two threads, each on a port of its own: node_threads.mjs PORT PORT BROKER STORE
import { isMainThread, Worker, workerData } from "node:worker_threads";

import { serveLogins } from "./logins.mjs";

if (isMainThread) {
  const [first, second, ...others] = process.argv.slice(2);
  for (const port of [first, second]) {
    new Worker(new URL(import.meta.url), { workerData: [port, ...others] });
  }
} else {
  serveLogins(...workerData);
}
