// Errors: the same codes as in Rust, with their attributes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import vm from "node:vm";

import * as portier from "portier-client";
import { BrokerError, BrokerUnavailable, PortierClient, PortierError, SessionCookie } from "portier-client";
import { DevBroker } from "portier-client/testing";

import { mocked } from "./mocked.mjs";

const require = createRequire(import.meta.url);
const { native } = require("../../dist/native.js");
const { CLASSES } = require("../../dist/errors.js");
const source = readFileSync(new URL("../../src/errors.ts", import.meta.url), "utf8");

describe("every code exists in both languages", () => {
  for (const { code, kind, retryable } of native.codes()) {
    test(code, () => {
      const found = CLASSES[code];
      const error = new found("the fact value=1", { code });
      assert.ok(error instanceof portier[kind] && error instanceof PortierError);
      assert.ok(error instanceof Error);
      assert.deepEqual([error.code, error.retryable], [code, retryable]);
      assert.equal(error.name, found.name);
      const docs = source.slice(0, source.indexOf(`export class ${found.name} `)).lastIndexOf("/**");
      assert.ok(source.slice(docs).split("export class")[0].includes(`\`${code}\``));
    });
  }
});

test("no code exists only here", () => {
  assert.deepEqual(Object.keys(CLASSES).sort(), native.codes().map(({ code }) => code).sort());
});

test("an unavailable broker has its status and the time to wait", async () => {
  const { client, clock, transport } = mocked();
  const url = `${client.broker}/.well-known/openid-configuration`;
  transport.respond(url, "", { status: 429, headers: [["retry-after", "20"]] });
  for (const [waited, left] of [[0, 20], [5, 15]]) {
    clock.advance(waited * 1000);
    const error = await client.discover().catch((error) => error);
    assert.deepEqual([error.status, error.retryAfterSeconds], [429, left]);
  }
});

test("instanceof distinguishes the classes", () => {
  const used = new portier.SessionUsed("a", { code: "session_used" });
  assert.ok(used instanceof portier.InvalidSession);
  assert.ok(!(used instanceof portier.InvalidToken));
  const other = new portier.InvalidSession("a", { code: "session_unknown" });
  assert.ok(!(other instanceof portier.SessionUsed));
  class Mine extends PortierError {}
  assert.ok(!(used instanceof Mine));
  assert.ok(new Mine("a", { code: "internal" }) instanceof Mine);
  for (const value of [null, undefined, 1, "a", {}, new Error("a")]) {
    assert.ok(!(value instanceof PortierError));
  }
});

test("instanceof holds for errors of another copy of the package", () => {
  const paths = Object.keys(require.cache).filter((path) => /\/dist\/[^/]*\.js$/.test(path));
  const cached = paths.map((path) => [path, require.cache[path]]);
  for (const path of paths) delete require.cache[path];
  const copy = require("portier-client");
  for (const [path, module] of cached) require.cache[path] = module;
  assert.notEqual(copy.TokenExpired, portier.TokenExpired);
  const error = new copy.TokenExpired("late", { code: "token_expired" });
  assert.ok(error instanceof portier.TokenExpired);
  assert.ok(error instanceof portier.InvalidToken);
  assert.ok(!(error instanceof portier.InvalidSession));
});

test("errors have their codes in another realm", async () => {
  const client = new PortierClient({ redirectUri: "https://example.com/verify" });
  const context = vm.createContext({ client });
  const code = await vm.runInContext("client.verify('x').catch((error) => error.code)", context);
  assert.equal(code, "token_malformed");
});

test("the sources of an error are its causes", async () => {
  const broker = new DevBroker();
  const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
  broker.stop();
  await assert.rejects(client.warm(), (error) => {
    assert.ok(error instanceof BrokerUnavailable);
    assert.deepEqual([error.code, error.retryable], ["broker_unreachable", true]);
    assert.ok(error.cause instanceof Error && !(error.cause instanceof PortierError));
    return true;
  });
});

test("the stack of an error shows the caller", async () => {
  const client = new PortierClient({ redirectUri: "https://example.com/verify" });
  async function theCaller() {
    await client.verify("x");
  }
  await assert.rejects(theCaller(), ({ stack }) => stack.includes("theCaller"));
});

test("JSON of an error has only what may be logged", () => {
  const error = new BrokerError("refused", { code: "broker_error", error: "a", cause: new Error("b") });
  assert.deepEqual(JSON.parse(JSON.stringify(error)), {
    name: "BrokerError",
    code: "broker_error",
    retryable: false,
    message: "refused",
  });
  assert.match(inspect(error), /^BrokerError: refused/);
});

test("a panic is an internal error", () => {
  const program = `
    const { native } = require("./dist/native.js");
    const { call } = require("./dist/call.js");
    const { completions } = require("./dist/completions.js");
    const { InternalError } = require("portier-client");
    (async () => {
      for (const atOnce of [true, false, true, false]) {
        const operate = async () => call(undefined, {}, () => native.panicInOperation(completions, atOnce));
        const outcome = await operate().catch((error) => error);
        if (!(outcome instanceof InternalError)) process.exit(1);
      }
    })();`;
  // Rust reports the panic on stderr, which would disturb here.
  const { status, stderr } = spawnSync(process.execPath, ["-e", program], {
    cwd: new URL("../..", import.meta.url),
    encoding: "utf8",
  });
  assert.equal(status, 0);
  assert.equal(stderr.split("this panic was asked for").length, 5);
});

test("a document larger than 256 KiB is refused", async (t) => {
  let length;
  const server = createServer((request, response) => {
    const names = { authorization_endpoint: "/auth", jwks_uri: "/keys.json" };
    const members = Object.entries(names).map(([name, path]) => [name, origin + path]);
    const body = JSON.stringify({ issuer: origin, ...Object.fromEntries(members) }).padEnd(length);
    // There is no Content-Length.
    response.write(body.slice(0, 10));
    response.end(body.slice(10));
  });
  t.after(() => server.close().closeAllConnections());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const origin = `http://127.0.0.1:${server.address().port}`;
  const start = (size) => {
    length = size;
    const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: origin });
    return client.authenticate("alice@example.com");
  };
  assert.ok((await start(256 * 1024)).startsWith(`${origin}/auth?`));
  await assert.rejects(start(256 * 1024 + 1), { code: "broker_document", message: /too large limit=262144/ });
});

describe("messages use the option names of Node", () => {
  const redirectUri = "https://example.com/verify";
  for (const [options, message] of [
    [{ redirectUri: "/verify" }, /^redirectUri is not an absolute/],
    [{ responseMode: "query" }, /^responseMode is neither form_post nor fragment$/],
    [{ leewayMs: 300_001 }, /^leewayMs is out of range least=/],
    [{ leeway: 300_001 }, /^leewayMs is out of range least=/],
    [{ sessionTtlMs: 1 }, /^sessionTtlMs is out of range least=/],
    [{ timeoutMs: 3_600_000 }, /^timeoutMs is out of range least=/],
    [{ storeTimeoutMs: 3_600_000 }, /^storeTimeoutMs is out of range least=/],
    [{ userAgent: "a\nb" }, /^userAgent is not a header value$/],
    [{ broker: "http://broker.example" }, /; use https, or dangerAllowHttp for a test/],
    // Given values stay as they are, and so do the parameters of a store's URL.
    [{ caFile: "/no/such/ca_file" }, /^caFile does not exist path=\/no\/such\/ca_file$/],
    [{ store: "redis://localhost?ca_file=/ca.pem" }, /: ca_file, cert_file and key_file need rediss/],
    [{ store: "rediss://localhost?ca_file=/no/such/file" }, /^the store's ca_file does not exist$/],
  ]) {
    test(JSON.stringify(options), () => {
      assert.throws(() => new PortierClient({ redirectUri, ...options }), { message });
    });
  }

  test("ages of a session cookie", () => {
    const options = { secret: "0123456789abcdefghijklmnopqrstuvwxyz", maxAge: 1 };
    const message = /60 s <= maxAge <= absoluteMaxAge <= 400 days$/;
    assert.throws(() => new SessionCookie(new PortierClient({ redirectUri }), options), { message });
  });

  test("an unknown certificate authority is reported", async () => {
    const pem = (name) => readFileSync(new URL(`tls/${name}.pem`, import.meta.url));
    const server = createSecureServer({ cert: pem("server"), key: pem("server-key") }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = new PortierClient({ redirectUri, broker: `https://localhost:${server.address().port}` });
    const failed = await client.authenticate("alice@example.com").catch((error) => error);
    server.close();
    server.closeAllConnections();
    assert.ok(failed instanceof BrokerUnavailable);
    const texts = [];
    for (let error = failed; error !== undefined; error = error.cause) texts.push(error.message);
    assert.match(texts.join("\n"), /list it in caFile/);
    assert.doesNotMatch(texts.join("\n"), /ca_file/);
  });
});
