// Requests to the broker in OpenTelemetry.
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";

import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { LoginFlow, PortierClient } from "portier-client";
import { instrument, uninstrument } from "portier-client/opentelemetry";
import { DevBroker } from "portier-client/testing";

import { exporter, meters, tracerProvider } from "./telemetry.mjs";

const redirectUri = "https://example.com/verify";
const DISCOVERY = "/.well-known/openid-configuration";
const broker = new DevBroker();
beforeEach(() => exporter.reset());
after(() => broker.stop());

/** A client whose requests are reported, and a function that reads their durations. */
function observed(name, options = {}) {
  const client = new PortierClient({ redirectUri, broker: broker.origin, ...options });
  const { meterProvider, metrics } = meters();
  instrument(client, { name, tracerProvider, meterProvider });
  const durations = async () => {
    return (await metrics()).find(({ descriptor }) => descriptor.name === "http.client.request.duration")?.dataPoints ?? [];
  };
  return { client, durations };
}

function spans() {
  const found = exporter.getFinishedSpans();
  const isRequest = ({ kind }) => kind === SpanKind.CLIENT;
  return { requests: found.filter(isRequest), calls: found.filter((span) => !isRequest(span)) };
}

test("a request is a child of the call that waits for it", async () => {
  const { client, durations } = observed("shop");
  const before = Date.now();
  await client.warm();
  const { requests, calls } = spans();
  const common = {
    "portier.client": "shop",
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "server.address": "127.0.0.1",
    "server.port": Number(new URL(broker.origin).port),
  };
  assert.equal(calls.length, 1);
  for (const [index, path] of [DISCOVERY, "/keys.json"].entries()) {
    const span = requests[index];
    assert.deepEqual(span.attributes, { ...common, "url.full": broker.origin + path });
    assert.deepEqual([span.name, span.status.code, span.links], ["GET", SpanStatusCode.UNSET, []]);
    assert.equal(span.parentSpanContext.spanId, calls[0].spanContext().spanId);
    const [start, end] = [span.startTime, span.endTime].map(([seconds, nanoseconds]) => seconds * 1000 + nanoseconds / 1e6);
    assert.ok(before - 2 <= start && start <= end && end <= Date.now() + 2);
  }
  const [{ attributes, value }, ...others] = await durations();
  assert.deepEqual([attributes, value.count, others], [common, 2, []]);
  assert.equal(value.buckets.boundaries[0], 0.005);
});

test("the request for a token is in the trace of its callback", async () => {
  const { client } = observed();
  const flow = new LoginFlow(client);
  const headers = { "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin" };
  const started = await flow.login({ method: "POST", headers, body: "email=alice%40example.com" });
  const reply = started.toResponse();
  const query = new URLSearchParams(broker.signIn(reply.headers.get("location"))).toString();
  const cookie = reply.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
  await flow.callback({ method: "GET", headers: { cookie }, query });
  const { requests, calls } = spans();
  const token = requests.find(({ name }) => name === "POST");
  const callback = calls.find(({ name }) => name === "portier.flow.callback");
  assert.equal(token.parentSpanContext.spanId, callback.spanContext().spanId);
  assert.equal(token.attributes["url.full"], `${broker.origin}/token`);
  for (const { attributes } of requests) assert.ok(!JSON.stringify(attributes).includes("alice"));
});

test("a request for several calls has links to them", async () => {
  const { client } = observed();
  broker.hold(DISCOVERY);
  const warming = [client.warm(), client.warm()];
  broker.release(DISCOVERY);
  await Promise.all(warming);
  const { requests, calls } = spans();
  const ids = calls.map((span) => span.spanContext().spanId);
  // The first request is sent when one of the calls has begun, or both.
  const [, keys] = requests;
  assert.equal(keys.parentSpanContext, undefined);
  assert.deepEqual(keys.links.map(({ context }) => context.spanId).sort(), ids.toSorted());
});

test("a request that fails says why", async () => {
  for (const [options, status, type] of [
    [{ broker: "http://127.0.0.1:9" }, undefined, "broker_unreachable"],
    [{}, 404, "404"],
  ]) {
    exporter.reset();
    const { client, durations } = observed(undefined, options);
    broker.failNext(DISCOVERY, { status: 404 });
    await assert.rejects(client.warm());
    const [{ attributes, status: outcome }] = spans().requests;
    assert.deepEqual([attributes["http.response.status_code"], attributes["error.type"]], [status, type]);
    assert.deepEqual(outcome, { code: SpanStatusCode.ERROR });
    const [point] = await durations();
    assert.equal(point.attributes["error.type"], type);
  }
});

test("a request of the background is reported with the metrics", async () => {
  broker.reset();
  const { client, durations } = observed();
  client.health();
  while (client.stats().discovery.ageMs === null) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(exporter.getFinishedSpans(), []);
  const [{ value }] = await durations();
  assert.ok(value.count >= 1);
  for (const { links, parentSpanContext } of spans().requests) assert.deepEqual([links, parentSpanContext], [[], undefined]);
});

test("nothing is reported of other clients", async () => {
  const { client, durations } = observed();
  uninstrument(client);
  await client.warm();
  assert.deepEqual(exporter.getFinishedSpans(), []);
  assert.deepEqual(await durations(), []);
});
