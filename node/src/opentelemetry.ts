/**
 * Metrics and traces for OpenTelemetry.
 *
 * @packageDocumentation
 */

import {
  metrics,
  SpanStatusCode,
  trace,
  type Attributes,
  type Histogram,
  type MeterProvider,
  type ObservableCallback,
  type Observable,
  type Span,
  type Tracer,
  type TracerProvider,
} from "@opentelemetry/api";

import type { PortierClient } from "./client.js";
import { invalidOption } from "./errors.js";
import { ON_FLOW, type LoginFlow } from "./login-flow.js";
import { collect } from "./metrics.js";
import { native, version } from "./native.js";
import { SentRequests } from "./sent-requests.js";
import { optionalText } from "./text.js";

/** The options of {@link instrument}. */
export interface InstrumentOptions {
  /** The attribute `portier.client`, if a process has several clients. */
  name?: string | undefined;
  /** The provider of the process by default. */
  meterProvider?: MeterProvider | undefined;
  /** The provider of the process by default. */
  tracerProvider?: TracerProvider | undefined;
}

const SCOPE = "portier-client";
const CALLS = ["authenticate", "verify", "complete", "discover", "keys", "warm"];
const REQUESTS = ["login", "start", "callback"];
const FAULTS = new Set<string>(
  native
    .codes()
    .filter(({ fault }) => fault)
    .map(({ code }) => code),
);

/** What ends the instrumentation of a client. */
const instrumented = new WeakMap<PortierClient, () => void>();

/**
 * Reports the metrics of a client, and traces its calls and those of its flows.
 *
 * Call it once the SDK has started, and before the client is given to an integration or a {@link LoginFlow}: only flows
 * that are made later are traced. Without it, OpenTelemetry is not loaded, and costs nothing.
 *
 * A call has a span while it runs, as a child of the current one. If the call ends with an error, its code is the
 * attribute `error.type`. The status of the span is an error only if the broker, the store, the clock or the site itself
 * is at fault: anybody can send an invalid token. The histogram `portier.client.operation.duration` counts the durations
 * of these calls.
 *
 * A request to the broker has a span of the kind `CLIENT`, and is counted in the histogram `http.client.request.duration`.
 * It is in the trace of the call that was in progress when it was sent. If there were several, it is in none, and has
 * links to them.
 *
 * ```js
 * const client = new PortierClient({ redirectUri: "https://example.com/verify" });
 * instrument(client);
 * ```
 */
export function instrument(client: PortierClient, options: InstrumentOptions = {}): void {
  if (instrumented.has(client)) throw invalidOption("the client is instrumented already");
  const name = optionalText(options.name, "name") ?? "";
  const { meterProvider = metrics.getMeterProvider(), tracerProvider = trace.getTracerProvider() } = options;
  const tracer = tracerProvider.getTracer(SCOPE, version);
  const attributes: Attributes = name === "" ? {} : { "portier.client": name };
  const sent = new SentRequests(client, tracer, meterProvider.getMeter(SCOPE, version), attributes);
  const { forget, durations } = observe(client, name, meterProvider, sent);
  const telemetry = { tracer, durations, attributes, sent };
  const flows = new Set<WeakRef<LoginFlow>>();
  define(client, ON_FLOW, (flow: LoginFlow) => {
    flows.add(new WeakRef(flow));
    traceAll(flow, "portier.flow", REQUESTS, telemetry);
  });
  traceAll(client, "portier.client", CALLS, telemetry);
  instrumented.set(client, () => {
    forget();
    remove(client, [ON_FLOW, ...CALLS]);
    for (const flow of flows) remove(flow.deref() ?? {}, REQUESTS);
  });
}

/** Undoes {@link instrument}, also for the flows of the client. */
export function uninstrument(client: PortierClient): void {
  instrumented.get(client)?.();
  instrumented.delete(client);
}

/** Where calls are reported. */
interface Telemetry {
  tracer: Tracer;
  durations: Histogram | undefined;
  attributes: Attributes;
  sent: SentRequests;
}

function observe(
  client: PortierClient,
  name: string,
  provider: MeterProvider,
  sent: SentRequests,
): { forget: () => void; durations: Histogram | undefined } {
  const meter = provider.getMeter(SCOPE, version);
  // The meter must not keep the client.
  const reference = new WeakRef(client);
  const observed: { observable: Observable; callback: ObservableCallback }[] = [];
  let durations: Histogram | undefined;
  for (const [index, { instrument, kind, unit, help, limits }] of collect({}).entries()) {
    const options = { unit, description: help };
    if (kind === "histogram") {
      durations = meter.createHistogram(instrument, { ...options, advice: { explicitBucketBoundaries: limits ?? [] } });
      continue;
    }
    const observable: Observable =
      kind === "counter"
        ? meter.createObservableCounter(instrument, options)
        : meter.createObservableGauge(instrument, options);
    const callback: ObservableCallback = (result) => {
      const client = reference.deref();
      // The requests of the background.
      sent.report();
      const samples = client === undefined ? [] : collect({ [name]: client })[index]?.samples;
      for (const { labels, value } of samples ?? []) {
        result.observe(value, Object.fromEntries(labels.map(({ attribute, value }) => [attribute, value])));
      }
    };
    observable.addCallback(callback);
    observed.push({ observable, callback });
  }
  const forget = (): void => observed.forEach(({ observable, callback }) => observable.removeCallback(callback));
  return { forget, durations };
}

type Method = (...parameters: unknown[]) => Promise<unknown>;

/** Replaces methods of an object, not of its class. */
function traceAll(target: object, prefix: string, names: string[], telemetry: Telemetry): void {
  const { tracer, durations, attributes, sent } = telemetry;
  for (const name of names) {
    const method = Reflect.get(target, name) as Method;
    define(target, name, (...parameters: unknown[]) =>
      tracer.startActiveSpan(`${prefix}.${name}`, { attributes }, async (span) => {
        const begun = performance.now();
        const reported = sent.during(span);
        let failure: Attributes = {};
        try {
          const result = await method.apply(target, parameters);
          const { error } = Object(result) as { error?: unknown };
          if (error instanceof Error) failure = note(span, error);
          return result;
        } catch (error) {
          failure = note(span, error);
          throw error;
        } finally {
          reported();
          const seconds = (performance.now() - begun) / 1000;
          durations?.record(seconds, { ...attributes, "portier.operation": name, ...failure });
          span.end();
        }
      }),
    );
  }
}

function note(span: Span, error: unknown): Attributes {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  const isOurs = typeof code === "string";
  const failure = { "error.type": isOurs ? code : String(name) };
  span.setAttributes(failure);
  // The site has aborted the call itself.
  if (isOurs ? FAULTS.has(code) : name !== "AbortError") span.setStatus({ code: SpanStatusCode.ERROR });
  return failure;
}

function define(target: object, name: string | symbol, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
}

function remove(target: object, names: (string | symbol)[]): void {
  for (const name of names) Reflect.deleteProperty(target, name);
}
