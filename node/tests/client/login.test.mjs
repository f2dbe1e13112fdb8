// Whole logins with the development broker.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { inspect } from "node:util";

import {
  BrokerError,
  ConfigError,
  InvalidEmail,
  InvalidToken,
  PortierClient,
  SessionUsed,
  TokenExpired,
} from "portier-client";
import { DevBroker } from "portier-client/testing";

const broker = new DevBroker();
after(() => broker.stop());
const client = new PortierClient({
  redirectUri: "https://example.com/verify",
  broker: broker.origin,
});

test("verify returns the normalized address", async () => {
  const url = await client.authenticate(" Alice@Example.COM ");
  assert.equal(new URL(url).searchParams.get("login_hint"), "Alice@Example.COM");
  assert.equal(await client.verify(broker.mint({ url })), "alice@example.com");
});

test("complete returns addresses, state and session", async () => {
  const url = await client.authenticate("Alice@example.com", { state: "a b", session: "/m" });
  const token = broker.mint({ url, claims: { auth_time: 1_700_000_000.5 } });
  const login = await client.complete({ id_token: token, state: "a b", other: {} });
  assert.deepEqual(
    [login.email, login.emailOriginal, login.session, login.state, login.sameBrowser],
    ["alice@example.com", "Alice@example.com", "/m", "a b", false],
  );
  assert.equal(login.authTime.toISOString(), "2023-11-14T22:13:20.500Z");
  assert.ok(Math.abs(Date.now() - login.issuedAt) < 60_000);
  assert.ok(!inspect(login).toLowerCase().includes("alice"));
  assert.throws(() => {
    login.email = "bob@example.com";
  }, TypeError);
});

test("the second argument may be the state alone", async () => {
  const url = await client.authenticate("alice@example.com", "a b");
  assert.equal(new URL(url).searchParams.get("state"), "a b");
});

test("an empty state is no state", async () => {
  const url = await client.authenticate(null);
  const token = broker.mint({ url, email: "bob@example.com" });
  const { email, state, session } = await client.complete({ id_token: token, state: "" });
  assert.deepEqual([email, state, session], ["bob@example.com", null, null]);
});

describe("forms of every shape are accepted", () => {
  const form = (entries) => {
    const data = new FormData();
    for (const [name, value] of entries) data.append(name, value);
    return data;
  };
  const shapes = {
    text: (token) => ({ id_token: token }),
    array: (token) => ({ id_token: [token], state: [], error: undefined }),
    "search parameters": (token) => new URLSearchParams({ id_token: token, state: "" }),
    "form data": (token) => form([["id_token", token]]),
    "no prototype": (token) => Object.assign(Object.create(null), { id_token: token }),
    strangers: (token) => ({ id_token: token, x: ["1", "2"], 3: 4, "\udc00": "", [Symbol()]: 1 }),
  };
  for (const [name, shape] of Object.entries(shapes)) {
    test(name, async () => {
      const url = await client.authenticate("alice@example.com");
      const login = await client.complete(shape(broker.mint({ url })));
      assert.equal(login.email, "alice@example.com");
    });
  }
});

describe("invalid forms are invalid tokens", () => {
  const forms = {
    repeated: { id_token: ["a", "b"] },
    "repeated state": { id_token: "a", state: ["", ""] },
    "repeated parameter": new URLSearchParams("id_token=a&id_token=b"),
    surrogate: { id_token: "\udc00" },
    nul: { id_token: "a\0b" },
    huge: { id_token: "a".repeat(5_000_000) },
    "huge and wide": { id_token: "😀".repeat(500_000) },
    object: { id_token: { toString: () => "a" } },
    number: { id_token: 1 },
    "no form": "id_token=a",
    nothing: undefined,
  };
  for (const [name, form] of Object.entries(forms)) {
    test(name, async () => {
      await assert.rejects(client.complete(form), (error) => {
        assert.ok(error instanceof InvalidToken);
        assert.ok(!inspect(error).includes("aaa"));
        return ["token_malformed", "token_too_large"].includes(error.code);
      });
    });
  }
});

test("inherited properties of a form are ignored", async () => {
  const url = await client.authenticate("alice@example.com");
  const form = Object.create({ error: "access_denied" });
  form.id_token = broker.mint({ url });
  assert.equal((await client.complete(form)).email, "alice@example.com");
});

test("a refusal carries the broker's error", async () => {
  const form = { error: "access_denied", error_description: "<b>no</b>" };
  await assert.rejects(client.complete(form), (error) => {
    assert.ok(error instanceof BrokerError);
    const { code, error: said, errorDescription } = error;
    assert.deepEqual([code, said, errorDescription], ["broker_error", "access_denied", "<b>no</b>"]);
    return true;
  });
  await assert.rejects(client.complete({}), { code: "missing_token", error: null });
});

test("a token works once", async () => {
  const token = broker.mint({ url: await client.authenticate("alice@example.com") });
  await client.verify(token);
  await assert.rejects(client.verify(token), SessionUsed);
});

test("a late token has expired", async () => {
  const url = await client.authenticate("alice@example.com");
  await assert.rejects(client.verify(broker.mint({ url, claims: { iat: 1, exp: 2 } })), TokenExpired);
});

test("both algorithms are accepted", async () => {
  for (const algorithm of ["RS256", "EdDSA"]) {
    const url = await client.authenticate("alice@example.com");
    assert.equal(await client.verify(broker.mint({ url, algorithm })), "alice@example.com");
  }
});

test("a rotated key is accepted within seconds", async () => {
  const own = new DevBroker();
  const itsClient = new PortierClient({
    redirectUri: "https://example.com/verify",
    broker: own.origin,
  });
  await itsClient.warm();
  own.forgetKeys();
  const url = await itsClient.authenticate("alice@example.com");
  // A key set is not fetched again in its first second.
  await setTimeout(1000);
  assert.equal(await itsClient.verify(own.mint({ url })), "alice@example.com");
  assert.equal(own.requests()["/keys.json"], 2);
  own.stop();
});

test("invalid addresses are refused", async () => {
  for (const email of ["", "nobody", "a@b@c.example", "\udc00@example.com", undefined, 3, {}]) {
    await assert.rejects(client.authenticate(email), InvalidEmail);
  }
});

test("invalid texts are invalid options", async () => {
  for (const options of [
    { state: "\udc00" },
    { session: "a".repeat(5000) },
    { browser: "" },
    { state: 3 },
    { sate: "a" },
    { signal: {} },
    3,
  ]) {
    await assert.rejects(client.authenticate("alice@example.com", options), ConfigError);
  }
});

test("keys and the discovery document are returned", async () => {
  const document = await client.discover();
  assert.equal(document.jwks_uri, `${broker.origin}/keys.json`);
  const keys = await client.keys();
  assert.deepEqual([...new Set(keys.map(({ algorithm }) => algorithm))].sort(), ["EdDSA", "RS256"]);
  assert.ok(keys.some(({ id }) => id === broker.keyId()));
});
