// Metrics and spans for OpenTelemetry.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import path from "node:path";
import { after, beforeEach, test } from "node:test";

import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { LoginFlow, PortierClient } from "portier-client";
import { exposition } from "portier-client/metrics";
import { instrument, uninstrument } from "portier-client/opentelemetry";
import { DevBroker } from "portier-client/testing";

import { mocked } from "./mocked.mjs";
import { exporter, meters as metersOf, tracerProvider } from "./telemetry.mjs";

const redirectUri = "https://example.com/verify";
const broker = new DevBroker({ mode: "accept" });
broker.keyId();
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
beforeEach(() => exporter.reset());
after(() => broker.stop());

/** A provider of meters, and a function that reads the values of their metrics. */
function meters() {
  const { meterProvider, metrics } = metersOf();
  const read = async () => {
    const points = (await metrics()).flatMap(({ descriptor: { name }, dataPoints }) => dataPoints.map((point) => [name, point]));
    return new Map(points.map(([name, { attributes, value }]) => [`${name} ${JSON.stringify(attributes)}`, value]));
  };
  return { meterProvider, read };
}

const clientOf = () => new PortierClient({ redirectUri, broker: broker.origin });
/** The spans of calls, without those of requests. */
const finished = () => exporter.getFinishedSpans().filter(({ kind }) => kind !== SpanKind.CLIENT);
const named = (spans) => spans.map(({ name }) => name);

test("the metrics are those of the exposition", async () => {
  const { meterProvider, read } = meters();
  const { client } = mocked();
  instrument(client, { meterProvider });
  await client.authenticate("alice@example.com");
  const values = await read();
  assert.equal(values.get("portier.client.logins.started {}"), 1);
  assert.equal(values.get('portier.client.logins.failed {"error.type":"internal"}'), 0);
  assert.equal(values.get('portier.client.document.age {"portier.document":"discovery"}'), 0);
  const series = exposition(client).match(/^portier\w+/gm);
  const numbers = series.filter((name) => !name.includes("_operation_duration_"));
  assert.equal([...values.keys()].filter((name) => !/\.(operation|request)\.duration /.test(name)).length, numbers.length);
});

test("the durations of calls are a histogram", async () => {
  const { meterProvider, read } = meters();
  const client = clientOf();
  instrument(client, { name: "shop", meterProvider });
  await client.verify(broker.mint({ url: await client.authenticate("alice@example.com") }));
  await assert.rejects(client.verify("secret.secret.secret"));
  const flow = new LoginFlow(client);
  const headers = { "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin" };
  await flow.login({ method: "POST", headers, body: "email=alice%40example.com" });
  const values = await read();
  const of = (attributes) =>
    values.get(`portier.client.operation.duration ${JSON.stringify({ "portier.client": "shop", ...attributes })}`);
  for (const operation of ["authenticate", "verify", "login"]) {
    const { count, sum, buckets } = of({ "portier.operation": operation });
    assert.equal(count, 1);
    assert.ok(sum > 0 && sum < 60);
    assert.equal(buckets.boundaries[0], 0.0005);
  }
  assert.equal(of({ "portier.operation": "verify", "error.type": "token_malformed" }).count, 1);
});

test("several clients share a provider", async () => {
  const { meterProvider, read } = meters();
  const [shop, forum] = [mocked().client, mocked().client];
  instrument(shop, { name: "shop", meterProvider });
  instrument(forum, { name: "forum", meterProvider });
  await forum.authenticate("alice@example.com");
  const values = await read();
  assert.equal(values.get('portier.client.logins.started {"portier.client":"shop"}'), 0);
  assert.equal(values.get('portier.client.logins.started {"portier.client":"forum"}'), 1);
  shop.destroy();
  uninstrument(forum);
  await forum.authenticate("bob@example.com");
  // The SDK repeats the last values.
  assert.deepEqual(await read(), values);
});

test("calls have spans in the current trace", async () => {
  const client = clientOf();
  instrument(client, { name: "shop", tracerProvider });
  const parent = await tracerProvider.getTracer("site").startActiveSpan("request", async (request) => {
    const url = await client.authenticate("alice@example.com");
    assert.equal(await client.verify(broker.mint({ url })), "alice@example.com");
    await Promise.all([client.warm(), client.keys(), client.discover()]);
    request.end();
    return request.spanContext();
  });
  const spans = finished().filter(({ name }) => name !== "request");
  const calls = ["authenticate", "discover", "keys", "verify", "warm"];
  assert.deepEqual(named(spans).sort(), calls.map((call) => `portier.client.${call}`));
  for (const span of spans) {
    assert.equal(span.parentSpanContext.spanId, parent.spanId);
    assert.deepEqual(span.attributes, { "portier.client": "shop" });
    assert.deepEqual([span.kind, span.status.code], [SpanKind.INTERNAL, SpanStatusCode.UNSET]);
    assert.equal(span.instrumentationScope.name, "portier-client");
  }
});

test("a refused login is no error of the site", async () => {
  const client = clientOf();
  instrument(client, { tracerProvider });
  await assert.rejects(client.verify("secret.secret.secret"), { code: "token_malformed" });
  const [span] = finished();
  assert.deepEqual(span.attributes, { "error.type": "token_malformed" });
  assert.equal(span.status.code, SpanStatusCode.UNSET);
  assert.deepEqual(span.events, []);
});

test("a fault is an error of the span", async () => {
  const client = new PortierClient({ redirectUri, broker: "http://127.0.0.1:9" });
  instrument(client, { tracerProvider });
  await assert.rejects(client.authenticate("alice@example.com"), { code: "broker_unreachable" });
  client.destroy();
  await assert.rejects(client.warm());
  const [fault, destroyed] = finished();
  assert.deepEqual(fault.attributes, { "error.type": "broker_unreachable" });
  assert.deepEqual(destroyed.attributes, { "error.type": "Error" });
  for (const span of [fault, destroyed]) assert.deepEqual(span.status, { code: SpanStatusCode.ERROR });
});

test("an aborted call is no error", async (t) => {
  const path = "/.well-known/openid-configuration";
  const slow = new DevBroker();
  t.after(() => slow.stop());
  slow.hold(path);
  const client = new PortierClient({ redirectUri, broker: slow.origin });
  instrument(client, { tracerProvider });
  const controller = new AbortController();
  const warming = client.warm({ signal: controller.signal });
  controller.abort();
  await assert.rejects(warming, { name: "AbortError" });
  slow.release(path);
  const [span] = finished();
  assert.deepEqual([span.attributes["error.type"], span.status.code], ["AbortError", SpanStatusCode.UNSET]);
});

test("the requests of flows have spans", async () => {
  const client = clientOf();
  instrument(client, { tracerProvider });
  const flow = new LoginFlow(client);
  const headers = { "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin" };
  const { reply } = await flow.login({ method: "POST", headers, body: "email=alice%40example.com" });
  assert.equal(reply.status, 303);
  await flow.callback({ method: "PUT", headers });
  await flow.start({ method: "POST", headers }, "nobody");
  const found = finished().map(({ name, attributes }) => [name, attributes["error.type"]]);
  assert.deepEqual(found, [
    ["portier.flow.login", undefined],
    ["portier.flow.callback", "request_method"],
    ["portier.flow.start", "invalid_email"],
  ]);
});

test("stores and subscribers run in the span of their call, and background work in that of no other call", async () => {
  const seen = [];
  const note = (what) => seen.push([what, trace.getActiveSpan()?.spanContext().spanId]);
  const store = {
    async put() {
      note("put");
      await new Promise(setImmediate);
      note("put");
    },
    async take() {
      return null;
    },
  };
  const subscriber = ({ message }) => note(message);
  subscribe("portier-client", subscriber);
  const headers = [["cache-control", "max-age=3600"]];
  const { client, clock } = mocked({ headers, options: { store } });
  instrument(client, { tracerProvider });
  await Promise.all(Array.from({ length: 8 }, (_, number) => client.authenticate(`a${number}@example.com`)));
  const spans = finished().map((span) => span.spanContext().spanId);
  const of = (what) => seen.filter(([found]) => found === what).map(([, id]) => id);
  assert.deepEqual(of("put").sort(), [...spans, ...spans].sort());
  assert.deepEqual(of("login started").sort(), spans.toSorted());
  // The document is refreshed by a call that does not wait for it.
  seen.length = 0;
  clock.advance(3_000_000);
  await client.discover();
  for (let turns = 0; of("document fetched").length === 0 && turns < 500; turns += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  unsubscribe("portier-client", subscriber);
  // It may be fetched before that call has returned.
  const own = finished().at(-1).spanContext().spanId;
  const [found] = of("document fetched");
  assert.ok(found === undefined || found === own, found);
});

test("a client is instrumented once and keeps its methods", async () => {
  const { client } = mocked();
  const before = client.authenticate;
  instrument(client, { tracerProvider });
  const flow = new LoginFlow(client);
  assert.throws(() => instrument(client), { code: "invalid_option" });
  assert.deepEqual(Object.keys(client), [], "nothing is printed or copied");
  uninstrument(client);
  uninstrument(client);
  assert.equal(client.authenticate, before);
  await client.discover();
  await flow.start({ method: "POST", headers: {} }, "nobody");
  assert.deepEqual(finished(), []);
  instrument(client, { tracerProvider });
  await client.discover();
  assert.deepEqual(named(finished()), ["portier.client.discover"]);
});

test("nothing is loaded without it", () => {
  const code = `require("portier-client"); require("portier-client/web");
    console.log(Object.keys(require.cache).filter((file) => /opentelemetry/.test(file)).length)`;
  const cwd = path.resolve(import.meta.dirname, "../..");
  assert.equal(execFileSync(process.execPath, ["-e", code], { cwd, encoding: "utf8" }), "0\n");
});
