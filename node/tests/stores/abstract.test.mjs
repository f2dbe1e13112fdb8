// Stores that were written for the npm package `portier`.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { after, test } from "node:test";

import { AbstractStore, InvalidSession, PortierClient, StoreError } from "portier-client";
import { DevBroker } from "portier-client/testing";

import { redirectUri } from "./custom.mjs";

const broker = new DevBroker();
after(() => broker.stop());

/** As users of npm portier write it; only the import is different. */
class MapStore extends AbstractStore {
  nonces = new Map();
  destroyed = 0;

  async fetchCached() {
    throw new Error("the client has documents of its own");
  }

  async createNonce(email) {
    const nonce = this.generateNonce(email);
    this.nonces.set(nonce, { email, deadline: Date.now() + this.nonceTtl });
    return nonce;
  }

  async consumeNonce(nonce, email) {
    const kept = this.nonces.get(nonce);
    this.nonces.delete(nonce);
    if (kept?.email !== email || kept.deadline <= Date.now()) throw new Error("Invalid or expired nonce");
  }

  destroy() {
    this.destroyed++;
  }
}

const newClient = (store) => new PortierClient({ redirectUri, broker: broker.origin, store });

test("a login completes with an AbstractStore", async () => {
  const store = new MapStore();
  const client = newClient(store);
  for (const email of ["Alice@Example.com", "alice@example.com"]) {
    const url = await client.authenticate(email, "state");
    const [nonce] = store.nonces.keys();
    assert.equal(new URL(url).searchParams.get("nonce"), nonce);
    assert.match(nonce, /^[0-9a-f]{32}$/);
    assert.equal(store.nonces.get(nonce).email, email);
    const token = broker.mint({ url });
    const taken = await Promise.allSettled(Array.from({ length: 16 }, () => client.verify(token)));
    assert.equal(taken.filter(({ status }) => status === "fulfilled").length, 1);
    const { reason } = taken.find(({ status }) => status === "rejected");
    assert.ok(reason instanceof InvalidSession);
    assert.equal(reason.code, "session_unknown");
    assert.equal(reason.cause.message, "Invalid or expired nonce");
  }
  const login = await client.complete({
    id_token: broker.mint({ url: await client.authenticate("alice@example.com") }),
  });
  assert.deepEqual([login.session, login.sameBrowser], [null, false]);
});

test("a nonce of another address is not accepted", async () => {
  const client = newClient(new MapStore());
  const url = await client.authenticate("alice@example.com");
  const token = broker.mint({ url, email: "bob@example.com" });
  await assert.rejects(client.verify(token), { code: "session_unknown" });
});

test("forged tokens reach no AbstractStore", async () => {
  const store = new MapStore();
  const client = newClient(store);
  const url = await client.authenticate("alice@example.com");
  await assert.rejects(client.verify(broker.mint({ url, key: "stranger" })), { code: "token_key_unknown" });
  assert.equal(store.nonces.size, 1);
  assert.equal(await client.verify(broker.mint({ url })), "alice@example.com");
});

test("options that an AbstractStore cannot keep are refused", async () => {
  const client = newClient(new MapStore());
  for (const options of [{ session: "/" }, { browser: "secret" }]) {
    await assert.rejects(client.authenticate("alice@example.com", options), { code: "invalid_option" });
  }
  await assert.rejects(client.authenticate(null), { code: "invalid_option" });
});

test("a login in an AbstractStore is never bound to a browser", async () => {
  const client = newClient(new MapStore());
  const id_token = broker.mint({ url: await client.authenticate("alice@example.com") });
  await assert.rejects(client.complete({ id_token }, { browser: "secret" }), { code: "invalid_option" });
  assert.equal((await client.complete({ id_token })).email, "alice@example.com", "nothing was used up");
});

test("a faulty AbstractStore is a store error", async () => {
  const refused = async (changes) => {
    const client = newClient(Object.assign(new MapStore(), changes));
    return client
      .authenticate("alice@example.com")
      .then((url) => client.verify(broker.mint({ url })))
      .catch((error) => error);
  };
  for (const createNonce of [() => undefined, () => 1, () => "", () => "n".repeat(513), () => "\ud800"]) {
    const error = await refused({ createNonce });
    assert.ok(error instanceof StoreError);
    assert.equal(error.code, "store_failed");
  }
  const original = new Error("no");
  assert.equal((await refused({ createNonce: () => Promise.reject(original) })).cause, original);
  // A result that does not say whether the nonce existed must not log anybody in.
  for (const consumeNonce of [() => false, async () => 0, () => true, () => null]) {
    assert.equal((await refused({ consumeNonce })).code, "store_failed");
  }
});

test("a client destroys its AbstractStore once", async () => {
  const store = new MapStore();
  const client = newClient(store);
  client.destroy();
  client.destroy();
  await client[Symbol.asyncDispose]();
  assert.equal(store.destroyed, 1);
});

test("a client is destroyed even if its AbstractStore throws", async () => {
  const problem = new Error("it cannot");
  const throwing = newClient(Object.assign(new MapStore(), { destroy: () => { throw problem; } }));
  assert.throws(() => throwing.destroy(), problem);
  throwing.destroy();
  await assert.rejects(throwing.warm(), /destroyed/);

  // The promise is handled, so there is no unhandled rejection.
  const rejecting = newClient(Object.assign(new MapStore(), { destroy: () => Promise.reject(problem) }));
  await assert.rejects(rejecting[Symbol.asyncDispose](), problem);
  await rejecting[Symbol.asyncDispose]();
  await assert.rejects(rejecting.warm(), /destroyed/);
});

test("fetchCached of an AbstractStore fetches and caches", async () => {
  const server = createServer((request, response) => {
    const [status, body, headers] = {
      "/kept": [200, '{"a": 1}', { "cache-control": "public, max-age=7200" }],
      "/short": [200, "[]", { "cache-control": "max-age=1" }],
      "/missing": [404, "{}", {}],
      "/text": [200, '"text"', {}],
    }[request.url];
    response.writeHead(status, { connection: "close", ...headers }).end(body);
  });
  after(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${server.address().port}`;
  const store = new MapStore();
  assert.deepEqual(await store.fetch(`${origin}/kept`), { ttl: 7_200_000, data: { a: 1 } });
  assert.deepEqual(await store.fetch(`${origin}/short`), { ttl: 3_600_000, data: [] });
  await assert.rejects(store.fetch(`${origin}/missing`), /status=404/);
  await assert.rejects(store.fetch(`${origin}/text`), /not a JSON object/);
});
