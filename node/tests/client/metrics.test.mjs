// The exposition for Prometheus, the collector for its client library, and the health of a client.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import cluster from "node:cluster";
import path from "node:path";
import { test } from "node:test";

import { LoginFlow, PortierClient } from "portier-client";
import { contentType, exposition } from "portier-client/metrics";
import { collectMetrics } from "portier-client/prometheus";
import { DevBroker } from "portier-client/testing";
import { AggregatorRegistry, Registry } from "prom-client";

import { mocked } from "./mocked.mjs";

const redirectUri = "https://example.com/verify";

/** The samples of an exposition, sorted. */
const samples = (text) =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .sort();

test("an exposition shows what a client has done", async () => {
  const { client } = mocked();
  await client.authenticate("alice@example.com");
  await assert.rejects(client.authenticate("nobody"));
  const lines = exposition(client).split("\n");
  for (const line of [
    "# HELP portier_client_logins_started_total Logins that were started.",
    "# TYPE portier_client_logins_started_total counter",
    "portier_client_logins_started_total 1",
    'portier_client_logins_failed_total{code="invalid_email"} 1',
    'portier_client_logins_failed_total{code="internal"} 0',
    'portier_client_document_age_seconds{document="discovery"} 0',
    'portier_client_operation_duration_seconds_bucket{operation="authenticate",le="0.0005"} 2',
    'portier_client_operation_duration_seconds_count{operation="authenticate"} 2',
  ]) {
    assert.ok(lines.includes(line), line);
  }
  assert.equal(contentType, "text/plain; version=0.0.4; charset=utf-8");
});

test("clients are told apart by name", () => {
  const text = exposition({ shop: mocked().client, 'the "forum"': mocked().client });
  assert.ok(text.includes('portier_client_logins_started_total{client="shop"} 0\n'));
  assert.ok(text.includes('portier_client_logins_started_total{client="the \\"forum\\""} 0\n'));
});

test("a registry of prom-client gets the same values", async () => {
  const { client } = mocked();
  await client.authenticate("alice@example.com");
  for (const clients of [client, { shop: client, forum: mocked().client }]) {
    const register = new Registry();
    collectMetrics(clients, { register });
    const text = await register.metrics();
    assert.deepEqual(samples(text), samples(exposition(clients)));
    await client.authenticate("bob@example.com");
    assert.deepEqual(samples(await register.metrics()), samples(exposition(clients)));
  }
});

test("metrics are registered once", () => {
  const { client } = mocked();
  const register = new Registry();
  collectMetrics(client, { register });
  assert.throws(() => collectMetrics(client, { register }), /already been registered/);
});

test("destroyed clients are left out of a registry", async () => {
  const clients = { shop: mocked().client, forum: mocked().client };
  const register = new Registry();
  collectMetrics(clients, { register });
  clients.shop.destroy();
  const text = await register.metrics();
  assert.match(text, /client="forum"/);
  assert.doesNotMatch(text, /client="shop"/);
  assert.throws(() => exposition(clients), /the client was destroyed/);
});

test("only clients have metrics", () => {
  for (const wrong of [{ shop: "shop" }, ["shop"], "shop", { a: null }]) {
    assert.throws(() => exposition(wrong), { code: "invalid_option" }, JSON.stringify(wrong));
  }
});

test("the metrics of a cluster are those of all workers", async () => {
  cluster.setupPrimary({ exec: path.join(import.meta.dirname, "metrics_worker.mjs") });
  const workers = [cluster.fork(), cluster.fork()];
  try {
    await Promise.all(workers.map((worker) => once(worker, "message")));
    const text = await new AggregatorRegistry().clusterMetrics();
    const values = new Map(samples(text).map((line) => line.split(" ")));
    assert.equal(values.get("portier_client_logins_started_total"), "2");
    assert.equal(values.get("portier_client_logins_pending"), "2");
    const durations = "portier_client_operation_duration_seconds_bucket";
    assert.equal(values.get(`${durations}{operation="authenticate",le="0.0005"}`), "2");
    // The worker that has waited longest decides.
    assert.equal(values.get('portier_client_document_age_seconds{document="discovery"}'), "20");
    assert.equal(values.get('portier_client_document_fresh_for_seconds{document="discovery"}'), "3580");
  } finally {
    const exits = workers.map((worker) => once(worker, "exit"));
    workers.forEach((worker) => worker.kill());
    await Promise.all(exits);
  }
});

test("an exposition needs no other package", () => {
  const code = `require("portier-client/metrics");
    console.log(Object.keys(require.cache).filter((file) => /prom-client|opentelemetry\\W.*api/.test(file)).length)`;
  const cwd = path.resolve(import.meta.dirname, "../..");
  assert.equal(execFileSync(process.execPath, ["-e", code], { cwd, encoding: "utf8" }), "0\n");
});

test("a client without a broker fails until it has the documents", async (t) => {
  const broker = new DevBroker();
  t.after(() => broker.stop());
  broker.failNext("/.well-known/openid-configuration", { status: 500 });
  const client = new PortierClient({ redirectUri, broker: broker.origin });
  const flow = new LoginFlow(client);
  const request = { method: "GET", headers: {} };
  assert.equal((await flow.health(request)).reply.status, 200, "nothing is known yet");
  await assert.rejects(client.warm(), { code: "broker_status" });
  const { status, checks } = client.health();
  assert.deepEqual([status, checks.discovery], ["fail", { status: "fail", code: "broker_status" }]);
  const { reply } = await flow.health(request);
  assert.deepEqual([reply.status, JSON.parse(reply.body)], [503, client.health()]);
  // A check starts the next attempt, as soon as the pause is over.
  for (let tries = 0; client.health().status !== "pass" && tries < 500; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal((await flow.health(request)).reply.status, 200);
  client.destroy();
  assert.throws(() => client.health(), /the client was destroyed/);
});

test("a store that fails is a warning", async () => {
  const store = {
    put() {
      throw new Error("gone");
    },
    take() {
      throw new Error("gone");
    },
  };
  const { client } = mocked({ options: { store } });
  await assert.rejects(client.authenticate("alice@example.com"));
  assert.deepEqual(client.health().checks.store, { status: "warn", code: "store_failed" });
});

test("a flow answers health checks by GET and HEAD", async (t) => {
  const broker = new DevBroker();
  t.after(() => broker.stop());
  const flow = new LoginFlow(new PortierClient({ redirectUri, broker: broker.origin }));
  for (const method of ["GET", "HEAD"]) {
    const { reply, error } = await flow.health({ method, headers: {} });
    assert.equal(reply.status, 200);
    assert.equal(error, null);
    const headers = new Map(reply.headers);
    assert.equal(headers.get("content-type"), "application/json");
    assert.match(headers.get("cache-control"), /^no-store/);
  }
  assert.equal((await flow.health({ method: "POST", headers: {} })).reply.status, 405);
});
