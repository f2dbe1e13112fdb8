// The client: options, properties, and its representation.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { inspect } from "node:util";

import Default, {
  ConfigError,
  MemoryStore,
  PortierClient,
  RedisStore,
  SqliteStore,
  version,
} from "portier-client";
import * as esm from "portier-client";
import * as esmTesting from "portier-client/testing";

const require = createRequire(import.meta.url);
const redirectUri = "https://example.com/verify";

test("import and require give the same classes", () => {
  assert.equal(Default, PortierClient);
  for (const [name, namespace] of [
    ["portier-client", esm],
    ["portier-client/testing", esmTesting],
  ]) {
    const cjs = require(name);
    const names = (exports) => Object.keys(exports).filter((key) => key !== "module.exports").sort();
    assert.deepEqual(names(namespace), names(cjs));
    for (const key of names(cjs)) assert.equal(namespace[key], cjs[key], key);
  }
});

test("the version is that of the package", () => {
  assert.equal(version, require("../../package.json").version);
});

test("properties return normalized URLs", () => {
  const client = new PortierClient({ redirectUri: "HTTPS://Example.com:443/verify" });
  assert.equal(client.redirectUri, redirectUri);
  assert.equal(client.clientId, "https://example.com");
  assert.equal(client.broker, "https://broker.portier.io");
  assert.equal(client.responseMode, "form_post");
  assert.equal(client.leeway, 180_000);
  assert.equal(client.leewayMs, 180_000);
  assert.ok(client.store instanceof MemoryStore);
});

test("a store can be given by URL", async () => {
  const client = new PortierClient({ redirectUri, store: "memory:" });
  assert.ok(client.store instanceof MemoryStore);
  assert.ok(!(client.store instanceof RedisStore));
  assert.throws(() => new RedisStore("memory:"), { code: "invalid_option" });
  assert.throws(() => new SqliteStore("redis://:secret@cache.example"), (error) => {
    assert.equal(error.code, "invalid_option");
    assert.doesNotMatch(error.message, /secret|cache\.example/);
    return true;
  });
});

test("settings can be changed as with npm portier", async () => {
  const store = new MemoryStore();
  const { client, transport } = (await import("./mocked.mjs")).mocked();
  await client.authenticate("alice@example.com");
  client.leeway = 60_000;
  assert.equal(client.leewayMs, 60_000);
  assert.throws(() => (client.leeway = 300_001), { code: "invalid_option" });
  assert.throws(() => (client.leeway = "long"), { code: "invalid_option" });
  assert.equal(client.leeway, 60_000);
  client.redirectUri = "https://EXAMPLE.org:443/verify";
  assert.equal(client.redirectUri, "https://example.org/verify");
  client.responseMode = "fragment";
  const url = new URL(await client.authenticate("alice@example.com"));
  assert.equal(url.searchParams.get("client_id"), "https://example.org");
  assert.equal(url.searchParams.get("response_mode"), "fragment");
  assert.throws(() => (client.broker = "nonsense"), { code: "invalid_broker" });
  assert.equal(client.broker, "https://broker.example");
  assert.ok(transport.requests("https://broker.example/.well-known/openid-configuration") > 0);
  assert.equal(new PortierClient({ redirectUri, store }).store, store);
});

describe("invalid option values are refused", () => {
  for (const [name, options, code] of [
    ["no options", undefined, "invalid_option"],
    ["no redirect URI", {}, "invalid_redirect_uri"],
    ["a relative redirect URI", { redirectUri: "/verify" }, "invalid_redirect_uri"],
    ["a fragment", { redirectUri: "https://example.com/#a" }, "invalid_redirect_uri"],
    ["a broker that is no origin", { broker: "https://broker.example/path" }, "invalid_broker"],
    ["an insecure broker", { broker: "http://broker.example" }, "insecure_url"],
    ["an unknown mode", { responseMode: "query" }, "invalid_option"],
    ["no algorithm", { algorithms: [] }, "invalid_option"],
    ["an unknown algorithm", { algorithms: ["HS256"] }, "invalid_option"],
    ["an algorithm that is no text", { algorithms: "RS256" }, "invalid_option"],
    ["too much leeway", { leewayMs: 300_001 }, "invalid_option"],
    ["negative leeway", { leewayMs: -1 }, "invalid_option"],
    ["leeway that is no number", { leewayMs: NaN }, "invalid_option"],
    ["leeway that is text", { leewayMs: "1000" }, "invalid_option"],
    ["leeway twice", { leewayMs: 1, leeway: 1 }, "invalid_option"],
    ["no lifetime", { sessionTtlMs: 0 }, "invalid_option"],
    ["an endless timeout", { timeoutMs: Infinity }, "invalid_option"],
    ["a flag that is none", { idp: "false" }, "invalid_option"],
    ["another flag that is none", { dangerAllowHttp: 1 }, "invalid_option"],
    ["a file that is not there", { caFile: "/no/such/file" }, "invalid_option"],
    ["an impossible user agent", { userAgent: "a\nb" }, "invalid_option"],
    ["a store that is no URL", { store: "memory" }, "invalid_option"],
    ["a URL with too much", { store: "memory:secret" }, "invalid_option"],
    ["a URL of no store", { store: "nothing://:secret@localhost" }, "invalid_option"],
    ["a store that is none", { store: {} }, "invalid_option"],
    ["a store that is a number", { store: 1 }, "invalid_option"],
    ["an unknown option", { borker: "https://broker.example" }, "invalid_option"],
  ]) {
    test(name, () => {
      const given = options && Object.keys(options)[0] ? { redirectUri, ...options } : options;
      assert.throws(
        () => new PortierClient(given),
        (error) => {
          assert.ok(error instanceof ConfigError);
          assert.ok(!error.message.includes("secret"));
          assert.equal(error.code, code);
          return true;
        },
      );
    });
  }
});

test("an unknown option is named in the error", () => {
  const message = /borker/;
  assert.throws(() => new PortierClient({ redirectUri, borker: 1 }), { message });
});

test("options are read once, and only own properties", () => {
  let reads = 0;
  const options = Object.create({ broker: "https://inherited.example", unknown: 1 });
  Object.defineProperty(options, "redirectUri", {
    enumerable: true,
    get: () => (reads++ === 0 ? redirectUri : "https://evil.example/"),
  });
  Object.prototype.dangerAllowHttp = true;
  try {
    const client = new PortierClient(options);
    assert.deepEqual([client.redirectUri, reads], [redirectUri, 1]);
    assert.equal(client.broker, "https://broker.portier.io");
    const insecure = { redirectUri, broker: "http://broker.example" };
    assert.throws(() => new PortierClient(insecure), { code: "insecure_url" });
  } finally {
    delete Object.prototype.dangerAllowHttp;
  }
});

test("a printed client shows no secrets", () => {
  const client = new PortierClient({ redirectUri: "https://example.com/verify", userAgent: "hush" });
  assert.equal(inspect(client), "PortierClient { redirectUri: 'https://example.com/verify' }");
  assert.ok(!JSON.stringify(client).includes("hush"));
  assert.ok(!JSON.stringify(client.store).includes("hush"));
});

test("a destroyed client refuses calls", async () => {
  const client = new PortierClient({ redirectUri });
  client.destroy();
  client.destroy();
  await client[Symbol.asyncDispose]();
  await assert.rejects(client.authenticate("alice@example.com"), /destroyed/);
  await assert.rejects(client.verify("a.b.c"), /destroyed/);
  assert.equal(client.redirectUri, redirectUri);
});

test("the capacity of a memory store is checked", async () => {
  const { mocked } = await import("./mocked.mjs");
  assert.throws(() => new MemoryStore({ capacity: 0 }), { code: "invalid_option" });
  assert.throws(() => new MemoryStore({ size: 1 }), { code: "invalid_option" });
  assert.equal(mocked().client.stats().pending, 0);
});
