// A cluster whose worker makes two clients with memory stores; run by processes.test.mjs.
import cluster from "node:cluster";

import PortierClient from "portier-client";

const redirectUri = "https://example.com/verify";

if (cluster.isPrimary) {
  cluster.fork().on("exit", (status) => process.exit(status));
} else {
  for (let made = 0; made < 2; made++) new PortierClient({ redirectUri, store: "memory:" });
  // Not at once: the warning is emitted in a later turn.
  setImmediate(() => process.exit(0));
}
