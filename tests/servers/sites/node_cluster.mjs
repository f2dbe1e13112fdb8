// Serves logins from two processes on one port.
import cluster from "node:cluster";

import { serveLogins } from "./logins.mjs";

if (cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
} else {
  serveLogins(process.env.PORTS);
}
