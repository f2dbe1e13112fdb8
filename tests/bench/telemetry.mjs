// What metrics and traces cost in Node: a call of a client without them, and with them, as telemetry.py. All values are
// in microseconds.
import { randomBytes } from "node:crypto";

import { EMAIL, inTurn, LOGINS, median, REDIRECT_URI, require, rounds, spawnBroker } from "./common.mjs";

const { PortierClient } = require("./dist/index.js");
const { exposition } = require("./dist/metrics.js");
const { instrument } = require("./dist/opentelemetry.js");
const { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } =
  require("@opentelemetry/sdk-metrics");
const { BasicTracerProvider } = require("@opentelemetry/sdk-trace-base");

const broker = spawnBroker();
const secret = randomBytes(32).toString("base64");
// Without it, a sealed login of the implicit flow is refused.
const browser = "b".repeat(43);

async function client() {
  const made = new PortierClient({ redirectUri: REDIRECT_URI, broker: broker.origin, secret });
  await made.warm();
  return made;
}

const [bare, api, sdk] = [await client(), await client(), await client()];
instrument(api);
const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
const meterProvider = new MeterProvider({ readers: [reader] });
instrument(sdk, { meterProvider, tracerProvider: new BasicTracerProvider() });

async function microseconds(call) {
  const begun = performance.now();
  for (let number = 0; number < LOGINS; number++) await call();
  return ((performance.now() - begun) / LOGINS) * 1000;
}

const measures = {
  bare: () => microseconds(() => bare.authenticate(EMAIL, { browser })),
  api: () => microseconds(() => api.authenticate(EMAIL, { browser })),
  sdk: () => microseconds(() => sdk.authenticate(EMAIL, { browser })),
  exposition: () => microseconds(() => exposition(bare)),
  health: () => microseconds(() => bare.health()),
};
const times = {};
for (let round = 0; round < rounds(45); round++) {
  for (const [name, time] of Object.entries(await inTurn(round, measures))) (times[name] ??= []).push(time);
}
console.log(JSON.stringify(Object.fromEntries(Object.entries(times).map(([name, values]) => [name, median(values)]))));
await meterProvider.shutdown();
broker.stop();
