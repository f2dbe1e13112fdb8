// Stores as a site might write them.
import assert from "node:assert/strict";

import { PortierClient } from "portier-client";

export const redirectUri = "https://example.com/verify";

/** Plain methods. */
export class Plain {
  records = new Map();
  ttls = [];

  put(nonce, record, ttlMs) {
    this.ttls.push(ttlMs);
    if (this.records.has(nonce)) throw new Error("there is one");
    this.records.set(nonce, record);
  }

  take(nonce) {
    const record = this.records.get(nonce);
    this.records.delete(nonce);
    return record;
  }

  contains(nonce) {
    return this.records.has(nonce);
  }
}

/** Methods that return promises. */
export class Waiting {
  plain = new Plain();

  async put(...given) {
    await new Promise(setImmediate);
    this.plain.put(...given);
  }

  async take(nonce) {
    await new Promise(setImmediate);
    return this.plain.take(nonce) ?? null;
  }

  async contains(nonce) {
    await new Promise(setImmediate);
    return this.plain.contains(nonce);
  }
}

export const KINDS = [Plain, Waiting];

/** A store with one method replaced. */
export function faulty(method, instead) {
  const store = new Plain();
  store[method] = instead;
  return store;
}

export async function logIn(client, broker) {
  const url = await client.authenticate("alice@example.com", { session: "/members" });
  const token = broker.mint({ url });
  const login = await client.complete({ id_token: token });
  assert.deepEqual([login.email, login.session], ["alice@example.com", "/members"]);
  await assert.rejects(client.verify(token), { code: "session_unknown" });
}

/**
 * Calls every method of a store. If it is not warm, calls have to wait, and the store is called for another thread.
 */
export async function use(store, broker, { cold, ...options }) {
  const newClient = async () => {
    const client = new PortierClient({ redirectUri, broker: broker.origin, store, ...options });
    if (!cold) await client.warm();
    return client;
  };
  const client = await newClient();
  const url = await client.authenticate("alice@example.com");
  // An unknown key makes the client ask whether the login is pending.
  const forged = (await newClient()).verify(broker.mint({ url, key: "stranger" }));
  await assert.rejects(forged, (error) => {
    if (error.code === "token_key_unknown") return true;
    throw error;
  });
  await (await newClient()).verify(broker.mint({ url }));
}
