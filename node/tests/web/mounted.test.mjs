// Logins in mounted parts of a site, several logins in one site, and forms with other fields.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, test } from "node:test";

import formbody from "@fastify/formbody";
import express5 from "express";
import express4 from "express-v4";
import Fastify from "fastify";
import PortierClient, { ConfigError } from "portier-client";
import * as forExpress from "portier-client/express";
import * as forFastify from "portier-client/fastify";
import { DevBroker } from "portier-client/testing";

import { Visitor } from "./visitor.mjs";

const HERE = "http://localhost";
const FORM = "application/x-www-form-urlencoded";
// The browser in which it ends does not matter here. The broker's answer is posted.
const WELCOME = { onLogin() {}, browserBinding: "off", flow: "implicit" };

const broker = new DevBroker();
after(() => broker.stop());

for (const [name, express] of [["4", express4], ["5", express5]]) {
  test(`express ${name}: a login may be mounted in a part of a site`, async (t) => {
    const app = express();
    const { login, verify } = forExpress.portier({ client: clientAt("/auth/verify"), ...WELCOME });
    const router = express.Router();
    router.use(verify);
    router.post("/login", login);
    app.use("/auth", router);
    app.use("/elsewhere", router);
    const post = await listen(t, app);
    const [started, url] = await post("/auth/login", { email: "alice@example.com" });
    assert.equal(started, 303);
    const answer = { id_token: broker.mint({ url }) };
    assert.deepEqual(await post("/elsewhere/verify", answer), [404, null]);
    assert.deepEqual(await post("/verify", answer), [404, null]);
    assert.deepEqual(await post("/auth/verify", answer), [303, "/"]);
  });

  test(`express ${name}: a login may start from a form with other fields`, async (t) => {
    const app = express();
    const { safeNext, startLogin, verify } = forExpress.portier({ client: clientAt(), ...WELCOME });
    app.use(verify);
    app.post("/sign-in", express.json(), async (request, response) => {
      await startLogin(request, response, request.body.address, safeNext(request.body.page) ?? "/x");
    });
    const post = await listen(t, app);
    const [status, url] = await post("/sign-in", { address: "a@example.com", page: "//e.example" }, "application/json");
    assert.equal(status, 303);
    assert.deepEqual(await post("/verify", { id_token: broker.mint({ url }) }), [303, "/x"]);
    assert.deepEqual(await post("/sign-in", { address: "nobody" }, "application/json"), [400, null]);
  });
}

test("fastify: a login may be mounted in a part of a site", async (t) => {
  const app = close(t, Fastify());
  await app.register(
    async (part) => {
      const client = clientAt("/auth/verify");
      await part.register(forFastify.portier, { client, loginPath: "/login", ...WELCOME });
      assert.ok(part.portier);
    },
    { prefix: "/auth" },
  );
  assert.equal(app.portier, undefined);
  const started = await inject(app, "/auth/login", { email: "alice@example.com" });
  const answer = { id_token: broker.mint({ url: started.headers.location }) };
  assert.equal((await inject(app, "/verify", answer)).statusCode, 404);
  assert.equal((await inject(app, "/auth/verify", answer)).statusCode, 303);
});

test("fastify: a redirect URI outside of the mounted part is refused", async (t) => {
  for (const [prefix, path] of [["/auth", "/verify"], ["/auth", "/authority/verify"]]) {
    const app = close(t, Fastify());
    const part = async (scope) => scope.register(forFastify.portier, { client: clientAt(path), ...WELCOME });
    await assert.rejects(async () => app.register(part, { prefix }), ConfigError);
  }
});

test("fastify: two parts may have two clients", async (t) => {
  const app = close(t, Fastify());
  for (const name of ["one", "two"]) {
    await app.register(async (part) => {
      const client = clientAt(`/${name}/verify`);
      await part.register(forFastify.portier, { client, loginPath: `/${name}/login`, ...WELCOME });
    });
  }
  const started = await inject(app, "/one/login", { email: "alice@example.com" });
  const answer = { id_token: broker.mint({ url: started.headers.location }) };
  assert.equal((await inject(app, "/two/verify", answer)).statusCode, 400);
  assert.equal((await inject(app, "/one/verify", answer)).statusCode, 303);
});

test("fastify: a login may start from a form with other fields", async (t) => {
  const app = close(t, Fastify());
  await app.register(forFastify.portier, { client: clientAt(), ...WELCOME });
  const { login, safeNext, startLogin } = app.portier;
  await app.register(async (part) => {
    await part.register(formbody);
    part.post("/form", login);
  });
  app.post("/json", async (request, reply) => {
    const { address, page } = request.body;
    return startLogin(request, reply, address, safeNext(page) ?? "/x");
  });
  const payload = { address: "alice@example.com", page: "//evil.example" };
  const started = await app.inject({ method: "POST", url: "/json", payload });
  const answer = { id_token: broker.mint({ url: started.headers.location }) };
  assert.equal((await inject(app, "/verify", answer)).headers.location, "/x");

  assert.equal((await inject(app, "/form", { email: "alice@example.com" })).statusCode, 303);
  assert.equal((await inject(app, "/login", { email: "alice@example.com" })).statusCode, 303, "the usual path");
});

test("fastify: the parsers of the site stay as they are", async (t) => {
  for (const parsers of ["before", "after", "none"]) {
    const app = close(t, Fastify());
    if (parsers === "before") await app.register(formbody);
    await app.register(forFastify.portier, { client: clientAt(), loginPath: "/login", ...WELCOME });
    if (parsers === "after") await app.register(formbody);
    app.post("/echo", async (request) => request.body);
    const echoed = await inject(app, "/echo", { a: "b" });
    assert.equal(echoed.statusCode, parsers === "none" ? 415 : 200);
    assert.deepEqual((await app.inject({ method: "POST", url: "/echo", payload: { a: 1 } })).json(), { a: 1 });
    assert.equal((await inject(app, "/login", { email: "alice@example.com" })).statusCode, 303);
    const json = { method: "POST", url: "/login", payload: { email: "alice@example.com" } };
    assert.equal((await app.inject(json)).statusCode, 415);
  }
});

test("fastify: hooks of the site know the exempt route", async (t) => {
  const app = close(t, Fastify());
  const exempt = [];
  app.addHook("onRequest", async (request) => {
    exempt.push([request.method, request.url, request.routeOptions.config.portierCallback === true]);
  });
  await app.register(forFastify.portier, { client: clientAt(), loginPath: "/login", ...WELCOME });
  app.post("/logout", async () => "");
  for (const path of ["/verify", "/login", "/logout"]) await inject(app, path, {});
  await app.inject("/verify");
  await app.inject({ method: "HEAD", url: "/verify" });
  assert.deepEqual(exempt, [
    ["POST", "/verify", true],
    ["POST", "/login", false],
    ["POST", "/logout", false],
    ["GET", "/verify", false],
    ["HEAD", "/verify", false],
  ]);
});

test("fastify: a failed login is logged once, without an address", async (t) => {
  const told = [];
  const lines = [];
  const listener = (event) => told.push(event);
  subscribe("portier-client", listener);
  t.after(() => unsubscribe("portier-client", listener));
  const app = close(t, Fastify({ logger: { stream: { write: (line) => lines.push(line) } } }));
  const client = new PortierClient({ redirectUri: `${HERE}/verify`, broker: "http://127.0.0.1:9" });
  await app.register(forFastify.portier, { client, loginPath: "/login", ...WELCOME });
  await inject(app, "/login", { email: "alice@example.com" });
  await inject(app, "/login", { email: "nobody" });
  const failures = told.filter(({ message }) => message.startsWith("login"));
  assert.deepEqual(failures.map(({ level, message, fields }) => [level, message, fields.code]), [
    ["warn", "login failed", "broker_unreachable"],
    ["info", "login refused", "invalid_email"],
  ]);
  assert.doesNotMatch(JSON.stringify([told, lines]), /alice|nobody|portier-client: /);
});

function clientAt(path = "/verify") {
  return new PortierClient({ redirectUri: `${HERE}${path}`, broker: broker.origin });
}

function close(t, app) {
  t.after(() => app.close());
  return app;
}

function inject(app, url, fields) {
  const payload = String(new URLSearchParams(fields));
  return app.inject({ method: "POST", url, payload, headers: { "content-type": FORM } });
}

/** Serves an Express site; returns a function that posts to it and returns status and location. */
async function listen(t, app) {
  const server = createServer(app).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return async (path, fields, type = FORM) => {
    const body = type === FORM ? String(new URLSearchParams(fields)) : JSON.stringify(fields);
    const url = `http://127.0.0.1:${server.address().port}${path}`;
    const { status, headers } = await new Visitor().request("POST", url, { headers: { "Content-Type": type }, body });
    return [status, headers.location ?? null];
  };
}
