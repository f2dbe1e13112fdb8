// Providers of OpenTelemetry whose output a test reads.
import { MeterProvider, MetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";

export const exporter = new InMemorySpanExporter();
export const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

class Reader extends MetricReader {
  async onForceFlush() {}
  async onShutdown() {}
}

/** A provider of meters, and a function that reads its metrics. */
export function meters() {
  const reader = new Reader();
  const metrics = async () => {
    const { resourceMetrics } = await reader.collect();
    return resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
  };
  return { meterProvider: new MeterProvider({ readers: [reader] }), metrics };
}
