/**
 * Metrics in a registry of `prom-client`.
 *
 * @packageDocumentation
 */

import { Counter, Gauge, Histogram, register, type Registry } from "prom-client";

import { collect, type Clients, type Sample } from "./metrics.js";

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

const LABELS = ["client", "document", "code", "operation"];

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
    const values = (): Sample[] => collect(clients)[index]?.samples ?? [];
    const configuration = { name, help, registers, labelNames: LABELS };
    if (kind === "counter") {
      new Counter({
        ...configuration,
        collect() {
          this.reset();
          for (const { labels, value } of values()) this.inc(toObject(labels), value);
        },
      });
    } else if (kind === "histogram") {
      // A histogram of the library takes single durations only.
      const get = (): unknown =>
        Promise.resolve({ name, help, type: "histogram", aggregator: "sum", values: values().flatMap(distribution(name)) });
      Object.assign(new Histogram(configuration), { get, getForPromString: get });
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

/** The series of a histogram, as the library writes them. */
function distribution(name: string) {
  return ({ labels, durations }: Sample) => {
    const { buckets, count, total_seconds } = durations ?? { buckets: [], count: 0, total_seconds: 0 };
    const own = toObject(labels);
    const limited = [...buckets, { limit_seconds: "+Inf", count }];
    return [
      ...limited.map(({ limit_seconds, count }) => ({
        metricName: `${name}_bucket`,
        labels: { ...own, le: Number.isInteger(limit_seconds) ? `${limit_seconds}.0` : limit_seconds },
        value: count,
      })),
      { metricName: `${name}_sum`, labels: own, value: total_seconds },
      { metricName: `${name}_count`, labels: own, value: count },
    ];
  };
}

function toObject(labels: Sample["labels"]): Record<string, string> {
  return Object.fromEntries(labels.map(({ name, value }) => [name, value]));
}
