// The asynchronous context in which stores and subscribers are called.
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { after, afterEach, test } from "node:test";

import { AbstractStore, PortierClient } from "portier-client";
import { DevBroker } from "portier-client/testing";

import { mocked, load } from "./mocked.mjs";

const CHANNEL = "portier-client";
const broker = new DevBroker();
broker.keyId();
after(() => broker.stop());

const request = new AsyncLocalStorage();
const redirectUri = "https://example.com/verify";

let heard = [];
const subscriber = ({ message, fields }) => heard.push([message, request.getStore(), fields.document]);
afterEach(() => {
  unsubscribe(CHANNEL, subscriber);
  heard = [];
});

/** A store that records the context of each of its methods, at first and after a wait. */
class Notes {
  records = new Map();
  seen = [];

  async put(nonce, record) {
    await this.note("put");
    this.records.set(nonce, record);
  }

  async take(nonce) {
    await this.note("take");
    const record = this.records.get(nonce);
    this.records.delete(nonce);
    return record;
  }

  async contains(nonce) {
    await this.note("contains");
    return this.records.has(nonce);
  }

  async note(method) {
    const before = request.getStore();
    await new Promise(setImmediate);
    this.seen.push([method, before, request.getStore()]);
  }
}

const makeClient = (store, options) =>
  request.run("maker", () => new PortierClient({ redirectUri, broker: broker.origin, store, ...options }));

/** Runs a call in its own context; what it awaits has that context, too. */
const within = (name, call) =>
  request.run(name, async () => {
    const result = await call().catch((error) => error);
    assert.equal(request.getStore(), name, "the caller goes on in its context");
    return result;
  });

test("the methods of a store run in the context of the call that needs them", async () => {
  const store = new Notes();
  const client = makeClient(store);
  // The first calls wait for documents, the later ones only for the store.
  for (const round of [1, 2]) {
    const names = Array.from({ length: 20 }, (_, number) => `login ${round} ${number}`);
    const urls = await Promise.all(names.map((name) => within(name, () => client.authenticate("a@example.com"))));
    assert.deepEqual(store.seen.map(([, context]) => context).sort(), names.toSorted());
    store.seen.forEach(([method, before, later]) => assert.deepEqual([method, later], ["put", before]));
    store.seen = [];
    const tokens = urls.map((url) => broker.mint({ url }));
    await Promise.all(names.map((name, place) => within(name, () => client.verify(tokens[place]))));
    const takers = store.seen.filter(([method]) => method === "take").map(([, context]) => context);
    assert.deepEqual(takers.sort(), names.toSorted());
    store.seen.forEach(([, before, later]) => assert.equal(later, before));
    store.seen = [];
  }
});

test("contains of a store runs in the context of the call", async () => {
  const store = new Notes();
  const client = makeClient(store);
  const url = await within("start", () => client.authenticate("a@example.com"));
  await client.warm();
  store.seen = [];
  await within("forged", () => client.verify(broker.mint({ url, key: "stranger" })));
  const asked = store.seen.filter(([method]) => method === "contains");
  assert.ok(asked.length > 0);
  asked.forEach(([, ...contexts]) => assert.deepEqual(contexts, ["forged", "forged"]));
});

test("the methods of an AbstractStore run in the context of the call", async () => {
  const seen = [];
  class Nonces extends AbstractStore {
    nonces = new Set();
    async fetchCached() {}
    async createNonce(email) {
      await null;
      seen.push(["createNonce", request.getStore()]);
      const nonce = this.generateNonce(email);
      this.nonces.add(nonce);
      return nonce;
    }
    async consumeNonce(nonce) {
      await null;
      seen.push(["consumeNonce", request.getStore()]);
      assert.ok(this.nonces.delete(nonce));
    }
  }
  const client = makeClient(new Nonces());
  const url = await within("start", () => client.authenticate("a@example.com"));
  await within("finish", () => client.verify(broker.mint({ url })));
  assert.deepEqual(seen, [["createNonce", "start"], ["consumeNonce", "finish"]]);
});

test("events are published in the context of the call that they are about", async () => {
  // The subscriber has a context too, which belongs to no call.
  request.run("subscriber", () => subscribe(CHANNEL, subscriber));
  for (const store of [new Notes(), undefined]) {
    const client = makeClient(store);
    const names = Array.from({ length: 10 }, (_, number) => `login ${number}`);
    const urls = await Promise.all(names.map((name) => within(name, () => client.authenticate("a@example.com"))));
    const of = (message) => heard.filter(([name]) => name === message).map(([, context]) => context);
    assert.deepEqual(of("login started").sort(), names);
    // The first call has fetched the document for all.
    assert.deepEqual(of("document fetched"), [names[0]]);
    heard = [];
    const tokens = urls.map((url) => broker.mint({ url }));
    await Promise.all(names.map((name, place) => within(name, () => client.verify(tokens[place]))));
    assert.deepEqual(of("login completed").sort(), names);
    assert.deepEqual(of("document fetched"), [names[0]]);
    heard = [];
    await Promise.all(names.map((name, place) => within(name, () => client.verify(tokens[place]))));
    assert.deepEqual(of("login refused").sort(), names);
    heard = [];
  }
});

test("a call that is aborted publishes its events in its context", async () => {
  const client = makeClient(new Notes());
  const url = await client.authenticate("a@example.com");
  broker.hold("/keys.json");
  subscribe(CHANNEL, subscriber);
  const stop = new AbortController();
  const aborted = within("aborted", () => client.verify(broker.mint({ url }), { signal: stop.signal }));
  const other = within("other", () => client.verify("not a token"));
  await other;
  stop.abort();
  assert.equal((await aborted).name, "AbortError");
  broker.release("/keys.json");
  assert.deepEqual(heard.filter(([, context]) => context === "maker"), []);
  assert.deepEqual(heard.find(([message]) => message === "login refused").slice(0, 2), ["login refused", "other"]);
});

test("a nested call keeps its own context", async () => {
  subscribe(CHANNEL, subscriber);
  const inner = makeClient(undefined);
  await inner.warm();
  const outer = makeClient({
    put: () => request.run("inner", () => void inner.authenticate("b@example.com")),
    take: () => null,
  });
  await outer.warm();
  heard = [];
  await within("outer", () => outer.authenticate("a@example.com"));
  assert.deepEqual(heard.map(([message, context]) => `${message} ${context}`), ["login started inner", "login started outer"]);
});

test("a background refresh runs in the context of no call", async () => {
  const { key_set: keySet } = load("tokens");
  const { client, clock, transport } = mocked({ keySet, headers: [["cache-control", "max-age=86400"]] });
  const headers = [["cache-control", "max-age=3600"]];
  transport.respond("https://broker.example/keys.json", JSON.stringify(keySet), { headers });
  await within("first", () => client.keys());
  subscribe(CHANNEL, subscriber);
  clock.advance(50 * 60 * 1000);
  // The old keys are used, and the call ends before the new keys arrive.
  transport.hold();
  await within("second", () => client.keys());
  transport.release();
  for (let turn = 0; heard.length === 0; turn++) {
    assert.ok(turn < 100_000, "no refresh within the limit");
    await new Promise(setImmediate);
  }
  assert.deepEqual(heard, [["document fetched", undefined, "keys"]]);
});
