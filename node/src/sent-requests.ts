import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Histogram,
  type Meter,
  type Span,
  type Tracer,
} from "@opentelemetry/api";

import { NATIVE, type PortierClient } from "./client.js";

/** Those of the semantic conventions for HTTP clients, in seconds. */
const LIMITS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

interface Sent {
  method: string;
  url: string;
  server_address: string;
  server_port: number;
  status: number | null;
  error_type: string | null;
  started_ago_seconds: number;
  duration_seconds: number;
}

/**
 * Makes spans and durations of the requests of one client.
 *
 * The client records its requests, and they are reported when a call ends, or when metrics are collected. So no thread of
 * the client waits for an exporter.
 */
export class SentRequests {
  // An instrumented client can be collected.
  readonly #client: WeakRef<PortierClient>;
  readonly #tracer: Tracer;
  readonly #durations: Histogram;
  readonly #attributes: Attributes;
  readonly #calls = new Set<{ begun: number; span: Span }>();

  constructor(client: PortierClient, tracer: Tracer, meter: Meter, attributes: Attributes) {
    this.#client = new WeakRef(client);
    this.#tracer = tracer;
    this.#attributes = attributes;
    this.#durations = meter.createHistogram("http.client.request.duration", {
      unit: "s",
      description: "Duration of HTTP client requests.",
      advice: { explicitBucketBoundaries: LIMITS },
    });
    this.report();
  }

  /** Notes that a call is in progress. The function that it returns ends this, and reports. */
  during(span: Span): () => void {
    const call = { begun: performance.now(), span };
    this.#calls.add(call);
    return () => {
      this.report();
      this.#calls.delete(call);
    };
  }

  /** Reports the requests that have ended since the last report. */
  report(): void {
    const text = this.#client.deref()?.[NATIVE]()?.takeRequests() ?? "[]";
    if (text === "[]") return;
    const [now, moment] = [Date.now(), performance.now()];
    for (const sent of JSON.parse(text) as Sent[]) {
      const agoMs = sent.started_ago_seconds * 1000;
      this.#report(sent, now - agoMs, moment - agoMs);
    }
  }

  #report(sent: Sent, startedOn: number, startedAt: number): void {
    const waiting = [...this.#calls].filter(({ begun }) => begun <= startedAt).map(({ span }) => span);
    // One of several calls has caused it, and others may wait for it as well.
    const [caller, ...others] = waiting;
    const parent = caller !== undefined && others.length === 0 ? trace.setSpan(ROOT_CONTEXT, caller) : ROOT_CONTEXT;
    const attributes: Attributes = {
      ...this.#attributes,
      "http.request.method": sent.method,
      "server.address": sent.server_address,
      "server.port": sent.server_port,
    };
    if (sent.status !== null) attributes["http.response.status_code"] = sent.status;
    if (sent.error_type !== null) attributes["error.type"] = sent.error_type;
    const options = {
      kind: SpanKind.CLIENT,
      attributes: { ...attributes, "url.full": sent.url },
      links: parent === ROOT_CONTEXT ? waiting.map((span) => ({ context: span.spanContext() })) : [],
      startTime: startedOn,
    };
    const span = this.#tracer.startSpan(sent.method, options, parent);
    if (sent.error_type !== null) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(startedOn + sent.duration_seconds * 1000);
    this.#durations.record(sent.duration_seconds, attributes);
  }
}
