// A worker of a cluster, whose metrics are in the default registry. The second one has waited longer.
import cluster from "node:cluster";

import { collectMetrics } from "portier-client/prometheus";
import { AggregatorRegistry } from "prom-client";

import { mocked } from "./mocked.mjs";

const { client, clock } = mocked();
await client.authenticate("alice@example.com");
clock.advance(cluster.worker.id * 10_000);
collectMetrics(client);
new AggregatorRegistry(); // answers the primary process
process.send("ready");
