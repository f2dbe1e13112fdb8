// Sessions of the flow: who is signed in, pages that need a login, and signing out.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, test } from "node:test";

import PortierClient, { ConfigError, InvalidEmail, LoginFlow } from "portier-client";
import { DevBroker, ManualClock, MockTransport, mockClient } from "portier-client/testing";

import { eachKind } from "./plain.mjs";
import { Visitor } from "./visitor.mjs";

const ORIGIN = "https://example.com";
const SECRET = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA";
const DAY = 24 * 60 * 60;
const NOW = 1_790_000_000;

const broker = new DevBroker();
after(() => broker.stop());

const clientAt = (redirectUri = `${ORIGIN}/verify`) => new PortierClient({ redirectUri, broker: broker.origin });
const headerOf = ({ reply }, name) => new Map(reply.headers).get(name);
const sentBack = (setCookie) => setCookie.split(";")[0];
const namesOf = (lines = []) => lines.map((line) => line.split("=")[0]);

/** A flow without a broker, with a manual clock. */
function still(options = {}) {
  const clock = new ManualClock(NOW * 1000);
  const client = mockClient({ redirectUri: `${ORIGIN}/verify`, clock, transport: new MockTransport() });
  return { clock, flow: new LoginFlow(client, { secret: SECRET, ...options }) };
}

/** A request of a page of the site. */
function from(cookie, others = {}) {
  return { method: "GET", headers: { cookie, ...others } };
}

test("a completed login begins a session", async () => {
  const flow = new LoginFlow(clientAt(), { secret: SECRET });
  const ids = new Set();
  for (let login = 0; login < 2; login++) {
    const body = "email=alice@example.com";
    const started = await flow.login({ method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body });
    const query = String(new URLSearchParams(broker.signIn(headerOf(started, "location"))));
    const request = { ...from(sentBack(started.reply.cookies[0])), query };
    const step = await flow.callback(request);
    assert.equal(step.session.email, "alice@example.com");
    assert.deepEqual(namesOf(step.loginCookies).toSorted(), ["__Host-portier-session", "__Host-portier-signed-in"]);
    const setCookie = step.loginCookies.find((line) => line.startsWith("__Host-portier-session="));
    assert.ok(step.toResponse().headers.getSetCookie().includes(setCookie));
    const session = await flow.session(from(sentBack(setCookie)));
    assert.deepEqual({ ...session }, { ...step.session });
    ids.add(session.id);
    // A reload redirects, and begins no session.
    const proof = step.loginCookies.find((line) => !line.startsWith("__Host-portier-session="));
    const again = await flow.callback({ ...request, headers: { cookie: `${request.headers.cookie}; ${sentBack(proof)}` } });
    assert.deepEqual([again.reply.status, again.session, again.loginCookies], [303, null, []]);
  }
  assert.equal(ids.size, 2);
});

test("without a secret there are no sessions", async () => {
  const flow = new LoginFlow(clientAt());
  assert.equal(await flow.session(from("__Host-portier-session=x")), null);
  assert.throws(() => flow.startSession("alice@example.com"), ConfigError);
});

test("a session is renewed by a visit in the second half of its time", async () => {
  const { clock, flow } = still({ sessionMaxAge: 2 * DAY, sessionAbsoluteMaxAge: 4 * DAY });
  const [session, setCookie] = flow.startSession("Alice@example.com");
  assert.deepEqual([session.email, session.expiresAt, session.renewal], ["alice@example.com", NOW + 2 * DAY, null]);
  assert.equal((await flow.session(from(sentBack(setCookie)))).renewal, null);
  clock.advance(DAY * 1000);
  const { renewal } = await flow.session(from(sentBack(setCookie)));
  clock.advance(1.5 * DAY * 1000);
  assert.equal(await flow.session(from(sentBack(setCookie))), null);
  assert.equal((await flow.session(from(sentBack(renewal)))).id, session.id);
  assert.throws(() => flow.startSession("nobody"), InvalidEmail);
});

test("the cookie may be given in every form of headers", async () => {
  const { flow } = still();
  const cookie = sentBack(flow.startSession("alice@example.com")[1]);
  for (const headers of [{ cookie }, { Cookie: ["a=1", cookie] }, new Headers({ cookie }), [["COOKIE", cookie]]]) {
    assert.equal((await flow.session({ headers })).email, "alice@example.com");
  }
  assert.equal((await flow.session(new Request(ORIGIN, { headers: { cookie } }))).email, "alice@example.com");
  assert.equal(await flow.session({ headers: {} }), null);
});

test("a site may end sessions", async () => {
  const ended = new Set();
  const { flow } = still({ accept: async ({ id }) => !ended.has(id) });
  const [session, setCookie] = flow.startSession("alice@example.com");
  const visit = () => flow.session(from(sentBack(setCookie)));
  assert.equal((await visit()).id, session.id);
  ended.add(session.id);
  assert.equal(await visit(), null);
});

test("an error of accept is passed on", async () => {
  const hooks = {
    "throws": () => {
      throw new Error("the database is down");
    },
    "rejects": () => Promise.reject(new Error("the database is down")),
    "forgets to say": () => {},
    "says something else": () => "yes",
  };
  for (const [what, accept] of Object.entries(hooks)) {
    const { flow } = still({ accept });
    const cookie = sentBack(flow.startSession("alice@example.com")[1]);
    const expected = what.endsWith("s") && !what.startsWith("f") ? /database is down/ : /^accept gave neither true nor false$/;
    await assert.rejects(flow.session(from(cookie)), (error) => expected.test(error.message), what);
    assert.equal(await flow.session(from("")), null, "nobody is asked about nobody");
  }
});

test("a page that needs a login redirects to the login page and back", () => {
  const { flow } = still({ loginUrl: "/login" });
  const page = "/members?page=2";
  for (const request of [
    new Request(`${ORIGIN}${page}`),
    { method: "GET", headers: {}, url: page },
    { method: "HEAD", headers: {}, originalUrl: page, url: "/?page=2" },
  ]) {
    const step = flow.requireLogin(request);
    assert.deepEqual([step.reply.status, headerOf(step, "location")], [303, "/login?next=%2Fmembers%3Fpage%3D2"]);
  }
  const given = (request, page) => headerOf(flow.requireLogin(request, page), "location");
  assert.equal(given(from(""), "/a"), "/login?next=%2Fa");
  assert.equal(given(from(""), "https://evil.example/"), "/login");
  assert.equal(given(from("")), "/login");
  assert.equal(given({ method: "POST", headers: {}, url: page }), "/login");
  const step = flow.requireLogin(from("", { accept: "application/json" }), "/a");
  assert.equal(step.reply.status, 401);
  assert.equal(JSON.parse(step.reply.body).type, "urn:portier-client:problem:not_signed_in");
});

test("only a form of this site signs out", async () => {
  const { flow } = still({ loginUrl: "/login" });
  const post = (headers, options) => flow.logout({ method: "POST", headers }, options);
  const done = await post({ "sec-fetch-site": "same-origin" });
  assert.deepEqual([done.reply.status, headerOf(done, "location")], [303, "/login"]);
  assert.ok(done.reply.cookies.some((line) => line.startsWith("__Host-portier-session=; Max-Age=0;")));
  for (const [headers, options, code] of [
    [{ "sec-fetch-site": "cross-site" }, undefined, "request_origin"],
    [{ origin: "null" }, undefined, "request_origin"],
    [{ origin: "null" }, { formTokenChecked: true }, undefined],
  ]) {
    const step = await post(headers, options);
    assert.equal(step.error?.code, code);
    assert.equal(step.reply.cookies.length === 0, code !== undefined);
  }
  const visit = await flow.logout({ method: "GET", headers: {} });
  assert.deepEqual([visit.reply.status, visit.reply.cookies], [405, []]);
  const script = await post({ "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" });
  assert.deepEqual(JSON.parse(script.reply.body), { url: "/login" });
});

const MISTAKES = {
  "a short secret": { secret: "x8#Tq" },
  "a placeholder": { secret: "changeme".repeat(8) },
  "no secret in a list": { secret: [] },
  "an age without a secret": { secret: undefined, sessionMaxAge: DAY },
  "a hook without a secret": { secret: null, accept: () => true },
  "a hook that is none": { secret: SECRET, accept: true },
  "an age out of range": { secret: SECRET, sessionMaxAge: 1 },
};
for (const [what, options] of Object.entries(MISTAKES)) {
  test(`unsafe options of sessions are refused: ${what}`, () => {
    assert.throws(() => new LoginFlow(clientAt(), options), (error) => error instanceof ConfigError && error.code === "invalid_option");
  });
}

test("sessions work with node:http alone", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const origin = `http://localhost:${server.address().port}`;
  const flow = new LoginFlow(clientAt(`${origin}/verify`), { secret: SECRET, loginUrl: "/login" });
  const answers = {
    "POST /login": (request) => flow.login(request),
    "POST /logout": (request) => flow.logout(request),
    async "GET /members"(request, response) {
      const session = await flow.session(request);
      if (session === null) return flow.requireLogin(request);
      response.end(session.email);
    },
  };
  server.on("request", async (request, response) => {
    const answer = flow.isCallback(request.url) ? () => flow.callback(request) : answers[`${request.method} ${request.url}`];
    const step = await (answer ?? (() => void response.end("the login form")))(request, response);
    step?.send(response);
  });
  const visitor = new Visitor();
  const turned = await visitor.get(`${origin}/members`, { follow: false });
  assert.equal(turned.headers.location, "/login?next=%2Fmembers");
  const started = await visitor.post(`${origin}/login`, { email: "alice@example.com", next: "/members" }, { origin, follow: false });
  const members = await visitor.get(`${origin}/verify?${new URLSearchParams(broker.signIn(started.headers.location))}`);
  assert.deepEqual([members.url, members.text], [`${origin}/members`, "alice@example.com"]);
  assert.equal((await visitor.post(`${origin}/logout`, {}, { origin, follow: false })).headers.location, "/login");
  assert.equal((await visitor.get(`${origin}/members`, { follow: false })).status, 303);
});

eachKind((here) => {
  const isExpress = here.kind.startsWith("express");
  /** Serves a site with a page for members, which may be made with a hook of its own first. */
  const serve = (t, options, before = () => {}) =>
    here.serve(t, { secret: SECRET, loginUrl: "/login", onLogin: undefined, ...options }, {
      then(app, { session, requireLogin, logout }) {
        if (isExpress) {
          app.all("/members", requireLogin, async (request, response) => {
            await before(request);
            response.send(response.locals.session.email);
          });
          app.get("/", async (request, response) => response.send((await session(request))?.email ?? "nobody"));
          app.all("/logout", logout);
          return;
        }
        app.all("/members", { preHandler: requireLogin }, async (request) => {
          await before(request);
          return request.portierSession.email;
        });
        app.get("/", async (request, reply) => (await session(request, reply))?.email ?? "nobody");
      },
    });

  test("a site needs only a secret", async (t) => {
    const site = await serve(t);
    const visitor = new Visitor();
    assert.equal((await visitor.get(site.origin)).text, "nobody");
    const turned = await visitor.get(`${site.origin}/members?page=2`, { follow: false });
    assert.deepEqual([turned.status, turned.headers.location], [303, "/login?next=%2Fmembers%3Fpage%3D2"]);
    const done = await site.logIn({ next: "/members" }, visitor);
    assert.deepEqual([done.status, done.headers.location], [303, "/members"]);
    assert.deepEqual(namesOf(done.headers["set-cookie"]).toSorted(), ["portier-session", "portier-signed-in"]);
    const members = await visitor.get(`${site.origin}/members`);
    assert.deepEqual([members.status, members.text, members.headers["set-cookie"]], [200, "alice@example.com", undefined]);
    assert.equal((await visitor.get(site.origin)).text, "alice@example.com");
    const out = await visitor.post(`${site.origin}/logout`, {}, { origin: site.origin, follow: false });
    assert.deepEqual([out.status, out.headers.location], [303, "/login"]);
    assert.equal((await visitor.get(`${site.origin}/members`, { follow: false })).status, 303);
    assert.deepEqual(site.errors, []);
  });

  if (!isExpress) {
    test("a page for everybody does not read the session of the guard", async (t) => {
      const site = await here.serve(t, { secret: SECRET }, {
        then: (app) => app.get("/open", async ({ portierSession }) => portierSession.email),
      });
      assert.equal((await new Visitor().get(`${site.origin}/open`)).status, 500);
      assert.match(site.errors[0].message, /portierSession is for routes with requireLogin/);
    });
  }

  test("a guard without a secret says what it needs", async (t) => {
    const site = await serve(t, { onLogin() {}, secret: null });
    assert.equal((await new Visitor().get(`${site.origin}/members`)).status, 500);
    assert.match(site.errors[0].message, /requireLogin needs the option secret/);
  });

  test("the flow of a site is the one that its handlers use", async (t) => {
    const { portier } = await serve(t, { loginUrl: "/sign-in" });
    const { reply } = portier.flow.requireLogin({ method: "GET", headers: {} }, "/members");
    assert.equal(reply.headers.find(([name]) => name === "location")[1], "/sign-in?next=%2Fmembers");
  });

  test("a script is told that it is not signed in", async (t) => {
    const site = await serve(t);
    const told = await new Visitor().request("GET", `${site.origin}/members`, { headers: { Accept: "application/json" } });
    assert.equal(told.status, 401);
    assert.match(told.headers["content-type"], /^application\/problem\+json\b/);
    assert.equal(JSON.parse(told.text).url, "/login");
  });

  test("a form of another site signs nobody out", async (t) => {
    const codes = [];
    const site = await serve(t, { onLoginError: ({ code }) => void codes.push(code) });
    const visitor = new Visitor();
    await site.logIn({}, visitor);
    assert.equal((await visitor.post(`${site.origin}/logout`, {})).status, 403);
    assert.equal((await visitor.get(site.origin)).text, "alice@example.com");
    assert.deepEqual(codes, ["request_origin"]);
  });

  test("a hook sees the new session, and may refuse it", async (t) => {
    const ids = [];
    for (const refuse of [false, true]) {
      const site = await serve(t, {
        async onLogin(login, request, response) {
          ids.push((await (isExpress ? site.portier.session(request) : site.portier.session(request, response))).id);
          if (refuse) throw new Error("the database is down");
        },
      });
      const visitor = new Visitor();
      const done = await site.logIn({}, visitor);
      assert.deepEqual([done.status, namesOf(done.headers["set-cookie"]).length], refuse ? [500, 0] : [303, 2]);
      assert.equal((await visitor.get(site.origin)).text, refuse ? "nobody" : "alice@example.com");
    }
    assert.match(ids.join(), /^[\w-]{22},[\w-]{22}$/);
  });

  test("a session is looked up and renewed once per request", async (t) => {
    const clock = new ManualClock(Date.now());
    let asked = 0;
    const accept = () => {
      asked += 1;
      return true;
    };
    const client = ({ redirectUri }) => mockClient({ redirectUri, clock, transport: new MockTransport() });
    const site = await serve(t, { accept, client: client({ redirectUri: "http://localhost/verify" }) });
    const other = new LoginFlow(client({ redirectUri: "http://localhost/verify" }), { secret: SECRET });
    const cookie = sentBack(other.startSession("alice@example.com")[1]);
    clock.advance(8 * DAY * 1000);
    const visitor = new Visitor();
    visitor.headers = { Cookie: cookie };
    const seen = await visitor.get(`${site.origin}/members`);
    assert.deepEqual([seen.text, namesOf(seen.headers["set-cookie"])], ["alice@example.com", ["portier-session"]]);
    assert.equal(asked, 1);
  });

  test("an error of accept goes to the error handler of the site", async (t) => {
    const site = await serve(t, { accept: () => Promise.reject(new Error("the database is down")) });
    const visitor = new Visitor();
    await site.logIn({}, visitor);
    const failed = await visitor.get(`${site.origin}/members`);
    assert.deepEqual([failed.status, failed.text], [500, "a page of the site"]);
    assert.deepEqual(site.errors.map(({ message }) => message), ["the database is down"]);
  });

  test("an exception of a page for members goes to the error handler of the site", async (t) => {
    const site = await serve(t, {}, () => Promise.reject(new Error("no such member")));
    const visitor = new Visitor();
    await site.logIn({}, visitor);
    // Express 4 ignores returned promises.
    if (here.kind === "express 4") return;
    assert.equal((await visitor.get(`${site.origin}/members`)).status, 500);
    assert.deepEqual(site.errors.map(({ message }) => message), ["no such member"]);
  });
});
