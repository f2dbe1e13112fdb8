// Serves logins from two threads, each on its own port.
import { isMainThread, Worker, workerData } from "node:worker_threads";

import { serveLogins } from "./logins.mjs";

if (isMainThread) {
  for (const port of process.env.PORTS.split(",")) {
    new Worker(new URL(import.meta.url), { workerData: port });
  }
} else {
  serveLogins(workerData);
}
