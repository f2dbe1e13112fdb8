// Values that are not what they look like: only given options take effect.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, describe, test } from "node:test";

import { ConfigError, MemoryStore, PortierClient, normalize, normalizeEmail, safeNext } from "portier-client";
import { DevBroker } from "portier-client/testing";

const HERE = new URL("../..", import.meta.url);
const redirectUri = "https://example.com/verify";
const broker = new DevBroker();
after(() => broker.stop());
const newClient = () => new PortierClient({ redirectUri, broker: broker.origin });

// Properties that would do harm, or be noticed, if they took effect.
const POLLUTION = `
  const polluted = {
    redirectUri: "https://evil.example/", broker: "https://evil.example", store: {}, responseMode: "fragment",
    leeway: 1e9, leewayMs: 1e9, sessionTtlMs: 1, timeoutMs: 1, algorithms: [], idp: true, dangerAllowHttp: true,
    caFile: "/no/such/file", userAgent: "evil", capacity: 1, prefix: "evil:", allowedHosts: ["evil.example"],
    state: "evil", session: "evil", browser: "evil", confirmation: "evil", signal: AbortSignal.abort(),
    id_token: "evil", error: "access_denied", error_description: "evil", email: "evil@example.com",
    code: "internal", message: "evil", causes: [], cause: "evil", thrown: 1, aborted: true, sameBrowser: true, then: 1,
  };
  Object.assign(Object.prototype, polluted);
`;

test("properties of Object.prototype are no options", () => {
  const program = `
    const { MemoryStore, PortierClient, RedisClientStore, safeNext } = require("portier-client");
    const { DevBroker } = require("portier-client/testing");
    const broker = new DevBroker();
    // Node itself reads some of the following properties as options.
    const streams = [process.stdout, process.stderr];
    ${POLLUTION}
    const clean = () => Object.keys(polluted).forEach((name) => delete Object.prototype[name]);
    (async () => {
      const keys = [];
      const redis = { set: async (key) => (keys.push(key), "OK"), getDel: async () => null, strLen: async () => 0 };
      await new RedisClientStore(redis, {}).put("nonce", "record", 1000);
      const store = new MemoryStore({});
      const client = new PortierClient({ redirectUri: ${JSON.stringify(redirectUri)}, broker: broker.origin, store });
      const urls = [await client.authenticate("alice@example.com"), await client.authenticate("alice@example.com", {})];
      await client.authenticate("alice@example.com", "a state alone");
      const { searchParams } = new URL(urls[1]);
      const login = await client.complete({ id_token: broker.mint({ url: urls[1] }) });
      const failures = [];
      for (const call of [
        () => client.complete({}),
        () => client.verify(broker.mint({ url: urls[1] })),
        () => client.verify(broker.mint({ url: urls[0], claims: { iat: 1e9, exp: 1e9 + 600 } })),
        () => new PortierClient({ redirectUri: ${JSON.stringify(redirectUri)}, broker: "http://broker.example" }),
      ]) await (async () => call())().catch((error) => failures.push(error.code));
      broker.stop();
      clean();
      console.log(JSON.stringify([
        keys, client.broker, client.redirectUri, client.responseMode, client.leewayMs, searchParams.get("state"),
        login.email, login.session, login.state, login.sameBrowser, failures, safeNext("https://evil.example/"),
      ]));
    })().catch((error) => (clean(), Promise.reject(error)));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", program], { cwd: HERE, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const [keys, itsBroker, ...rest] = JSON.parse(stdout);
  assert.deepEqual(keys, ["portier:session:nonce"]);
  assert.match(itsBroker, /^http:\/\/127\.0\.0\.1:/);
  assert.deepEqual(rest, [
    ...[redirectUri, "form_post", 180_000, null, "alice@example.com", null, null, false],
    ["missing_token", "session_used", "token_expired", "insecure_url"],
    null,
  ]);
});

test("a proxy is read once, own properties only", () => {
  const reads = [];
  const given = { redirectUri, broker: broker.origin, leewayMs: 1000 };
  const record = (trap) => (target, ...rest) => {
    reads.push([trap, ...rest.filter((part) => typeof part === "string")].join(" "));
    return Reflect[trap](target, ...rest);
  };
  const client = new PortierClient(new Proxy(given, { get: record("get"), ownKeys: record("ownKeys"), has: record("has") }));
  assert.deepEqual(reads, ["ownKeys", "get redirectUri", "get broker", "get leewayMs"]);
  given.broker = "https://evil.example";
  assert.deepEqual([client.broker, client.leewayMs], [broker.origin, 1000]);
});

test("an exception of a getter is passed on, and the call does nothing", async () => {
  const mine = new RangeError("mine");
  const hostile = new Proxy({}, { ownKeys: () => { throw mine; }, getOwnPropertyDescriptor: () => { throw mine; } });
  assert.throws(() => new PortierClient(hostile), mine);
  const client = newClient();
  await assert.rejects(client.authenticate("alice@example.com", hostile), mine);
  await assert.rejects(client.complete(hostile), mine);
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  await assert.rejects(client.complete(proxy), TypeError);
  assert.deepEqual([client.stats().loginsStarted, client.stats().discovery.requests], [0, 0]);
});

test("arguments that change during and after the call have no effect", async () => {
  const client = newClient();
  const url = await client.authenticate("alice@example.com");
  const token = broker.mint({ url });
  let reads = 0;
  const form = {
    get id_token() {
      this.error = "access_denied";
      return reads++ === 0 ? token : "evil";
    },
  };
  // `error` was present when it was read, after the token.
  await assert.rejects(client.complete(form), { code: "broker_error" });
  assert.equal(reads, 1);
  const params = { id_token: [token] };
  const completing = client.complete(params);
  params.id_token[0] = "evil";
  assert.equal((await completing).email, "alice@example.com");

  const algorithms = ["EdDSA"];
  const options = { redirectUri, broker: broker.origin, algorithms };
  const strict = new PortierClient(options);
  algorithms[0] = "RS256";
  options.broker = "https://evil.example";
  const started = await strict.authenticate("alice@example.com");
  await assert.rejects(strict.verify(broker.mint({ url: started, algorithm: "RS256" })), { code: "token_algorithm" });
});

describe("bytes, boxed values and lone surrogates are no texts", () => {
  const NO_TEXTS = {
    buffer: Buffer.from("alice@example.com"),
    "array of bytes": new Uint8Array(8),
    "array buffer": new ArrayBuffer(8),
    "shared bytes": new Uint8Array(new SharedArrayBuffer(8)),
    box: new String("alice@example.com"),
    "object with toString": { toString: () => "alice@example.com" },
    "object with toPrimitive": { [Symbol.toPrimitive]: () => "alice@example.com" },
    array: ["alice@example.com"],
    symbol: Symbol("alice"),
    bigint: 1n,
    surrogate: "\ud800alice@example.com",
    "other surrogate": "alice@example.com\udfff",
  };
  for (const [name, value] of Object.entries(NO_TEXTS)) {
    test(name, async () => {
      const client = newClient();
      const code = (expected) => (error) => {
        assert.equal(error.code, expected);
        assert.doesNotMatch(error.message, /alice/);
        return true;
      };
      await assert.rejects(client.authenticate(value), code("invalid_email"));
      await assert.rejects(client.verify(value), code("token_malformed"));
      // A form may have a parameter more than once, which is refused.
      if (!Array.isArray(value)) await assert.rejects(client.complete({ id_token: value }), code("token_malformed"));
      await assert.rejects(client.complete({ id_token: [[value]] }), code("token_malformed"));
      for (const option of ["state", "session", "browser"]) {
        await assert.rejects(client.authenticate("bob@example.com", { [option]: value }), code("invalid_option"));
      }
      for (const [option, expected] of [
        ...[["redirectUri", "invalid_redirect_uri"], ["broker", "invalid_option"], ["caFile", "invalid_option"]],
        ...[["userAgent", "invalid_option"], ["responseMode", "invalid_option"]],
      ]) {
        assert.throws(() => new PortierClient({ redirectUri, [option]: value }), code(expected), option);
      }
      assert.throws(() => new PortierClient({ redirectUri, algorithms: [value] }), code("invalid_option"));
      assert.throws(() => normalizeEmail(value), code("invalid_email"));
      assert.deepEqual([normalize(value), safeNext(value)], ["", null]);
      assert.equal(client.stats().loginsStarted, 0);
    });
  }
});

test("a duration must be a number, also when it is set later", () => {
  const client = newClient();
  for (const value of ["1000", "", true, 1n, [1000], new Number(1000), { valueOf: () => 1000 }, Buffer.from("1"), -1, NaN]) {
    assert.throws(() => new PortierClient({ redirectUri, leewayMs: value }), ConfigError, String(value));
    assert.throws(() => (client.leewayMs = value), ConfigError, String(value));
    assert.throws(() => (client.leeway = value), ConfigError, String(value));
    assert.throws(() => new MemoryStore({ capacity: value }), ConfigError, String(value));
  }
  assert.equal(client.leewayMs, 180_000);
});
