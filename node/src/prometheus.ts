/**
 * Metrics in a registry of `prom-client`.
 *
 * @packageDocumentation
 */

import { Counter, Gauge, register, type Registry } from "prom-client";

import { collect, type Clients, type Metric } from "./metrics.js";

export type { Clients } from "./metrics.js";

/** The options of {@link collectMetrics}. */
export interface CollectOptions {
  /** The registry; the default registry of `prom-client` by default. */
  register?: Registry | undefined;
}

// How the values of several processes become one, in a cluster. Counters are added.
const AGGREGATORS = new Map<string, "sum" | "min" | "max" | "average">([
  ["portier_client_logins_pending", "sum"],
  ["portier_client_clock_difference_seconds", "average"],
  ["portier_client_document_age_seconds", "max"],
  ["portier_client_document_fresh_for_seconds", "min"],
  ["portier_client_document_usable_for_seconds", "min"],
  ["portier_client_document_retry_in_seconds", "max"],
]);

const LABELS = ["client", "document", "code"];

/**
 * Adds the metrics of a client, or of several by name, to a registry. Call it once in each process. Destroyed clients
 * are left out.
 *
 * ```js
 * collectMetrics(client);
 * console.log(await register.metrics());
 * ```
 */
export function collectMetrics(clients: Clients, options: CollectOptions = {}): void {
  const registers = [options.register ?? register];
  for (const [index, { name, help, kind }] of collect(clients).entries()) {
    const values = (): Metric["samples"] => collect(clients)[index]?.samples ?? [];
    const configuration = { name, help, registers, labelNames: LABELS };
    if (kind === "counter") {
      new Counter({
        ...configuration,
        collect() {
          this.reset();
          for (const { labels, value } of values()) this.inc(toObject(labels), value);
        },
      });
    } else {
      new Gauge({
        ...configuration,
        aggregator: AGGREGATORS.get(name) ?? "max",
        collect() {
          this.reset();
          for (const { labels, value } of values()) this.set(toObject(labels), value);
        },
      });
    }
  }
}

function toObject(labels: Metric["samples"][number]["labels"]): Record<string, string> {
  return Object.fromEntries(labels.map(({ name, value }) => [name, value]));
}
