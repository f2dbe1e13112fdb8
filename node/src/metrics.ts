/**
 * Metrics for Prometheus, without another library.
 *
 * @packageDocumentation
 */

import { opened } from "./call.js";
import { NATIVE, type PortierClient } from "./client.js";
import { invalidOption } from "./errors.js";
import { native, type NativeClient } from "./native.js";

/** A client, or several of them by their names, which are the values of the label `client`. */
export type Clients = PortierClient | Readonly<Record<string, PortierClient>>;

/** The media type of an exposition. */
export const contentType: string = native.metricsContentType();

/**
 * Returns the metrics of a client, or of several, in the text format of Prometheus.
 *
 * Several clients are given by name, such as `{ shop, forum }`. The name is the value of the label `client`. A single
 * client needs no name and has no such label. Throws for a client that was destroyed.
 *
 * ```js
 * createServer((request, response) => {
 *   response.setHeader("Content-Type", contentType).end(exposition(client));
 * }).listen(9464, "127.0.0.1");
 * ```
 */
export function exposition(clients: Clients): string {
  const named = byName(clients);
  return native.exposition(
    named.map(([name]) => name),
    named.map(([, client]) => opened(client)),
  );
}

/** @internal */
export interface Metric {
  name: string;
  instrument: string;
  help: string;
  kind: "counter" | "gauge" | "histogram";
  unit: string;
  /** The upper limits of the buckets of a histogram. */
  limits?: number[];
  samples: Sample[];
}

/** @internal */
export interface Sample {
  labels: { name: string; attribute: string; value: string }[];
  value: number;
  /** Only of a histogram. */
  durations?: { count: number; total_seconds: number; buckets: { limit_seconds: number; count: number }[] };
}

/**
 * The metrics of those clients that were not destroyed.
 *
 * @internal
 */
export function collect(clients: Clients): Metric[] {
  const existing = byName(clients).filter((pair): pair is [string, NativeClient] => pair[1] !== undefined);
  const metrics = native.collectMetrics(
    existing.map(([name]) => name),
    existing.map(([, client]) => client),
  );
  return JSON.parse(metrics) as Metric[];
}

function byName(clients: unknown): [name: string, client: NativeClient | undefined][] {
  if (isClient(clients)) return [["", clients[NATIVE]()]];
  return Object.entries(Object(clients) as object).map(([name, client]) => {
    if (!isClient(client)) throw invalidOption("clients is neither a PortierClient nor an object of them");
    return [name, client[NATIVE]()];
  });
}

function isClient(value: unknown): value is PortierClient {
  return typeof (Object(value) as Partial<PortierClient>)[NATIVE] === "function";
}
