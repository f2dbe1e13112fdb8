// Serves logins from two processes on one port: node_cluster.mjs PORT BROKER STORE
import cluster from "node:cluster";

import { serveLogins } from "./logins.mjs";

if (cluster.isPrimary) {
  cluster.fork();
  cluster.fork();
} else {
  serveLogins(...process.argv.slice(2));
}
