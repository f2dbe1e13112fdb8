// The text that appears in logs when somebody prints or copies objects of a login.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { format, inspect } from "node:util";

import { BrowserMismatch, LoginFlow, MemoryStore, PortierClient, RedisStore, StoreError } from "portier-client";
import { DevBroker } from "portier-client/testing";

const redirectUri = "https://example.com/verify";
const SECRETS = ["alice", "/members", "the-session", "the-state", "the-secret-of-a-browser", "hunter2", "agent-of-ours"];
const browser = "the-secret-of-a-browser-that-is-long-enough";
/** Often as JSON. */
const STORED = ["login", "session", "confirmation"];
/** Clones have all of their data. */
const DATA = ["started", "asked", "confirmation", "done", "reply", "session"];

const broker = new DevBroker();
after(() => broker.stop());
const client = new PortierClient({ redirectUri, broker: broker.origin, userAgent: "agent-of-ours" });
const subjects = { client, store: client.store };
const texts = [];

before(async () => {
  const start = async (options = {}) => {
    const url = await client.authenticate("alice@example.com", { session: "the-session", state: "the-state", ...options });
    texts.push(new URL(url).searchParams.get("nonce"));
    const token = broker.mint({ url });
    texts.push(token, ...token.split(".").slice(1));
    return token;
  };
  const failure = (promise) => promise.then(() => assert.fail("it did not fail"), (error) => error);
  const token = await start();
  subjects.login = await client.complete({ id_token: token, state: "the-state" });
  subjects.used = await failure(client.complete({ id_token: token }));
  subjects.mismatch = await failure(client.complete({ id_token: await start({ browser }) }, { browser: `not ${browser}` }));
  texts.push(subjects.mismatch.confirmation);
  subjects.late = await failure(client.verify(broker.mint({ url: await client.authenticate("alice@example.com"), claims: { iat: 1, exp: 2 } })));
  subjects.malformed = await failure(client.verify("hunter2.hunter2.hunter2"));
  subjects.address = await failure(client.authenticate("alice@@hunter2"));
  const redis = "redis://alice:hunter2@127.0.0.1:1/";
  subjects.redis = new RedisStore(redis);
  subjects.unreachable = await failure(new PortierClient({ redirectUri, broker: broker.origin, store: redis }).authenticate("alice@example.com"));
  subjects.wrong = await failure((async () => new PortierClient({ redirectUri: "ftp://alice:hunter2@example.com/" }))());
  await visit();
  subjects.nowhere = await failure(new PortierClient({ redirectUri, broker: "http://127.0.0.1:1" }).authenticate("alice@example.com"));
});

/** Makes the objects of a login flow. */
async function visit() {
  const flow = new LoginFlow(client, { secret: randomBytes(32) });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  subjects.refused = await flow.login({ method: "POST", headers, body: "email=alice%40hunter2&next=/members" });
  subjects.problem = subjects.refused.problem;
  assert.deepEqual([subjects.problem.typedEmail, subjects.problem.next], ["alice@hunter2", "/members"]);
  subjects.started = await flow.login({ method: "POST", headers, body: "email=alice%40example.com" });
  const [cookie] = subjects.started.reply.cookies[0].split(";");
  const answer = broker.signIn(subjects.started.reply.headers.find(([name]) => name === "location")[1]);
  const query = new URLSearchParams(answer).toString();
  const other = { cookie: "__Host-portier-probe=1" };
  subjects.asked = await flow.callback({ method: "GET", headers: other, query: `${query}&portier_again=1` });
  subjects.confirmation = subjects.asked.confirmation;
  subjects.done = await flow.callback({ method: "GET", headers: { cookie }, query });
  subjects.reply = subjects.done.reply;
  subjects.session = subjects.done.session;
  const cookies = [cookie, ...subjects.done.loginCookies].map((text) => text.split(";")[0].split("=")[1]);
  texts.push(answer.code, answer.state, subjects.session.id, ...cookies);
}

/** The ways in which a logger shows a value. */
const WAYS = {
  inspect: (value) => inspect(value),
  "inspect, with all that is hidden": (value) => inspect(value, { showHidden: true, depth: Infinity }),
  "inspect, in something else": (value) => inspect({ list: [new Map([[value, value]])] }, { depth: Infinity }),
  "format %s": (value) => format("%s", value),
  "format %o": (value) => format("%o", value),
  text: (value) => String(value),
};

describe("printed objects show no secret and no address", () => {
  for (const [name, way] of Object.entries(WAYS)) {
    test(name, () => {
      for (const [subject, value] of Object.entries(subjects)) hush(way(value), `${name} of ${subject}`);
    });
  }

  test("JSON of all objects but those that a site stores or shows", () => {
    for (const [subject, value] of Object.entries(subjects)) {
      if (STORED.includes(subject)) assert.equal(JSON.parse(JSON.stringify(value)).email, "alice@example.com");
      else hush(JSON.stringify(value), `JSON of ${subject}`);
    }
  });

  test("the stack of an error", () => {
    for (const value of Object.values(subjects)) if (value instanceof Error) hush(value.stack, value.code);
  });
});

test("a structured clone has only what may be printed", () => {
  for (const [subject, value] of Object.entries(subjects)) {
    const copy = structuredClone(value);
    if (subject === "login") assert.deepEqual([copy.email, copy.sameBrowser], ["alice@example.com", false]);
    else if (!DATA.includes(subject)) hush(inspect(copy, { showHidden: true, depth: Infinity }) + JSON.stringify(copy), subject);
  }
  const { mismatch } = subjects;
  assert.ok(mismatch instanceof BrowserMismatch && mismatch.email === "alice@example.com");
  assert.equal(structuredClone(mismatch).email, undefined);
});

test("a structured clone of a store is empty", () => {
  for (const store of [new MemoryStore(), subjects.redis]) {
    assert.throws(() => new PortierClient({ redirectUri, store: structuredClone(store) }), { code: "invalid_option" });
  }
});

test("an error of a custom store keeps its message and cause", () => {
  const error = new StoreError("no room", { code: "store_full", cause: new Error("hunter2") });
  assert.match(inspect(error), /hunter2/);
  assert.doesNotMatch(JSON.stringify(error), /hunter2/);
});

function hush(text, where) {
  for (const secret of [...SECRETS, ...texts]) {
    assert.ok(!text.toLowerCase().includes(secret.toLowerCase()), `${where} shows ${secret}: ${text}`);
  }
}
