// Logins by the code flow, in which the broker's answer is the query of the redirect URI.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { Worker } from "node:worker_threads";

import express5 from "express";
import express4 from "express-v4";
import Fastify from "fastify";
import PortierClient, { InvalidSession, LoginFlow, PortierError } from "portier-client";
import * as forExpress from "portier-client/express";
import * as forFastify from "portier-client/fastify";
import { DevBroker } from "portier-client/testing";

import { eachKind } from "./plain.mjs";
import { Visitor } from "./visitor.mjs";

const ORIGIN = "https://example.com";
const FORM = "application/x-www-form-urlencoded";
const LOGIN = { method: "POST", headers: { "content-type": FORM }, body: "email=alice@example.com&next=/members" };

const broker = new DevBroker();
after(() => broker.stop());

const clientAt = (redirectUri = `${ORIGIN}/verify`, options = {}) =>
  new PortierClient({ redirectUri, broker: broker.origin, ...options });
const queryOf = (url) => new URLSearchParams(broker.signIn(url)).toString();
const headerOf = ({ reply }, name) => new Map(reply.headers).get(name);

/** Starts a login; returns the request with which the browser comes back. */
async function comeBack(flow) {
  const started = await flow.login(LOGIN);
  const cookie = started.reply.cookies[0].split(";")[0];
  return { method: "GET", headers: { cookie }, query: queryOf(headerOf(started, "location")) };
}

test("the code flow works with node:http alone", async (t) => {
  const server = createServer();
  const origin = await listen(t, server);
  const flow = new LoginFlow(clientAt(`${origin}/verify`));
  server.on("request", async (request, response) => {
    const step = await (flow.isCallback(request.url) ? flow.callback(request) : flow.login(request));
    if (step.login !== null) response.setHeader("Set-Cookie", "session=1");
    step.send(response);
  });
  const visitor = new Visitor();
  const started = await visitor.post(`${origin}/login`, { email: "alice@example.com", next: "/members" }, { origin, follow: false });
  assert.equal(new URL(started.headers.location).searchParams.get("response_type"), "code");
  const callback = `${origin}/verify?${queryOf(started.headers.location)}`;
  for (const names of [["session", "portier-signed-in"], []]) {
    const done = await visitor.get(callback, { follow: false });
    assert.deepEqual([done.status, done.headers.location], [303, "/members"]);
    assert.deepEqual((done.headers["set-cookie"] ?? []).map((line) => line.split("=")[0]), names);
  }
  const head = await visitor.request("HEAD", callback);
  assert.deepEqual([head.status, head.headers.allow, head.text], [405, "GET, POST", ""]);
});

test("the code flow works with requests of fetch alone", async () => {
  const flow = new LoginFlow(clientAt());
  const { headers, query } = await comeBack(flow);
  const step = await flow.callback(new Request(`${ORIGIN}/verify?${query}#top`, { headers }));
  const done = step.toResponse();
  assert.deepEqual([done.status, done.headers.get("location"), step.login.email], [303, "/members", "alice@example.com"]);
});

test("a query may be given with its question mark", async () => {
  const flow = new LoginFlow(clientAt());
  const request = await comeBack(flow);
  const { login } = await flow.callback({ ...request, query: `?${request.query}` });
  assert.deepEqual([login.email, login.sameBrowser], ["alice@example.com", true]);
});

eachKind((here) => {
  test("the code flow works in each framework", async (t) => {
    const site = await here.serve(t);
    const visitor = new Visitor();
    const answer = await site.answer(visitor, { next: "/members" });
    assert.deepEqual(Object.keys(answer).toSorted(), ["code", "state"]);
    for (let visit = 0; visit < 2; visit++) {
      const done = await site.finish(visitor, answer);
      assert.deepEqual([done.status, done.headers.location], [303, "/members"]);
    }
    assert.deepEqual(site.logins.map(({ email, sameBrowser }) => [email, sameBrowser]), [["alice@example.com", true]]);
    assert.deepEqual(site.errors, []);
  });

  test("another browser is asked, and may continue", async (t) => {
    const site = await here.serve(t);
    const answer = await site.answer(new Visitor());
    const phone = new Visitor();
    const asked = await site.finish(phone, answer);
    assert.match(asked.text, /data-portier="confirmation"/);
    const done = await phone.submit(asked, "", {}, { follow: false });
    assert.deepEqual([done.status, site.logins[0]?.sameBrowser], [303, false]);
  });

  test("a flow may be implicit", async (t) => {
    const site = await here.serve(t, { flow: "implicit" });
    const visitor = new Visitor();
    const answer = await site.answer(visitor);
    assert.deepEqual(Object.keys(answer).toSorted(), ["id_token", "state"]);
    assert.equal((await visitor.get(`${site.verify}?${new URLSearchParams(answer)}`)).status, 405);
    assert.equal((await site.finish(visitor, answer)).status, 303);
  });

  test("a cancelled login of the code flow is a problem", async (t) => {
    const codes = [];
    const site = await here.serve(t, { onLoginError: ({ code }) => void codes.push(code) });
    const visitor = new Visitor();
    const { state } = await site.answer(visitor);
    const refused = await visitor.get(`${site.verify}?${new URLSearchParams({ error: "access_denied", state })}`);
    assert.equal(refused.status, 403);
    assert.deepEqual(codes, ["broker_error"]);
  });
});

for (const [name, express] of [["4", express4], ["5", express5]]) {
  for (const parser of [false, "simple", () => ({ code: "another" })]) {
    test(`express ${name}: a router below a path sees the whole query, parser=${parser}`, async (t) => {
      const app = express();
      app.set("query parser", parser);
      const origin = await listen(t, createServer(app));
      const logins = [];
      const { login, verify } = forExpress.portier({ client: clientAt(`${origin}/auth/verify`), onLogin: (login) => void logins.push(login) });
      const router = express.Router();
      // Some middleware changes the URL for later handlers.
      router.use((request, response, next) => {
        request.url = request.url.replace(/\?.*/, "");
        next();
      });
      router.use(verify);
      router.post("/login", login);
      app.use("/auth", router);
      const visitor = new Visitor();
      const started = await visitor.post(`${origin}/auth/login`, { email: "alice@example.com" }, { origin, follow: false });
      const done = await visitor.get(`${origin}/auth/verify?${queryOf(started.headers.location)}`, { follow: false });
      assert.deepEqual([done.status, logins.length], [303, 1]);
    });
  }
}

test("fastify: the query is that of the browser, whatever parses and rewrites it", async (t) => {
  const app = Fastify({
    rewriteUrl: ({ url }) => url.replace(/^\/app/, "").replace(/\?.*/, ""),
    routerOptions: { querystringParser: () => ({ code: "another" }) },
  });
  t.after(() => app.close());
  await app.register(forFastify.portier, {
    client: clientAt(`${ORIGIN}/app/verify`),
    callbackPath: "/verify",
    browserBinding: "off",
    loginPath: "/login",
    onLogin() {},
  });
  const headers = { "content-type": FORM };
  const started = await app.inject({ method: "POST", url: "/app/login", payload: LOGIN.body, headers });
  const done = await app.inject(`/app/verify?${queryOf(started.headers.location)}`);
  assert.deepEqual([done.statusCode, done.headers.location], [303, "/members"]);
});

test("a custom store keeps a login of the code flow", async () => {
  const records = new Map();
  const store = {
    async put(key, record) {
      records.set(key, record);
    },
    async take(key) {
      const record = records.get(key);
      records.delete(key);
      return record;
    },
  };
  const flow = new LoginFlow(clientAt(undefined, { store }), { flow: "code" });
  const request = await comeBack(flow);
  assert.equal(records.size, 1);
  assert.ok(![...records.keys()].some((key) => request.query.includes(key)), "the query does not name the record");
  assert.equal((await flow.callback(request)).login.email, "alice@example.com");
  assert.equal(records.size, 0);
  assert.ok((await flow.callback(request)).error instanceof InvalidSession);
});

test("a login that is aborted while the code is redeemed completes at most once", async (t) => {
  const slow = new DevBroker();
  t.after(() => slow.stop());
  const flow = new LoginFlow(clientAt(undefined, { broker: slow.origin }));
  const started = await flow.login(LOGIN);
  const cookie = started.reply.cookies[0].split(";")[0];
  const query = new URLSearchParams(slow.signIn(headerOf(started, "location"))).toString();
  const request = { method: "GET", headers: { cookie }, query };
  slow.hold("/token");
  const given = new AbortController();
  const completion = flow.callback(request, { signal: given.signal });
  for (let turn = 0; slow.requests()["/token"] !== 1; turn++) {
    assert.ok(turn < 1_000_000, "no token request within the limit");
    await new Promise(setImmediate);
  }
  given.abort(new Error("gone"));
  await assert.rejects(completion, /^Error: gone$/);
  slow.release("/token");
  // The broker may have issued the token before the connection was closed.
  const repeated = { ...request, query: `${query}&portier_again=1` };
  const outcomes = [await flow.callback(repeated), await flow.callback(repeated)];
  const [again, last] = outcomes.map(({ login, problem }) => login?.email ?? problem.id);
  assert.ok(["alice@example.com", "over"].includes(again), again);
  assert.ok(["used", "over"].includes(last), last);
});

test("a client completes the code flow without a LoginFlow", async () => {
  const client = clientAt(undefined, { flow: "code" });
  const url = await client.authenticate("alice@example.com", { session: "/members", state: "s" });
  const { email, session, state } = await client.complete(broker.signIn(url));
  assert.deepEqual([email, session, state], ["alice@example.com", "/members", "s"]);
  const token = broker.mint({ nonce: "n".repeat(32), email: "alice@example.com", clientId: ORIGIN });
  await assert.rejects(client.verify(token), PortierError);
});

test("workers log in by the code flow concurrently", async () => {
  const program = new URL("../client/worker.mjs", import.meta.url);
  const addresses = ["a@example.com", "b@example.com", "c@example.com", "d@example.com"];
  const workers = addresses.map((email) => new Worker(program, { workerData: { task: "log in by code", email } }));
  const exits = Promise.all(workers.map((worker) => once(worker, "exit")));
  const told = await Promise.all(workers.map(async (worker) => (await once(worker, "message"))[0]));
  assert.deepEqual(told, addresses);
  await exits;
});

/** Serves until the end of the test; returns the origin. */
async function listen(t, server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://localhost:${server.address().port}`;
}
