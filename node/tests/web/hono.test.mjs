// `portier-client/hono`: a login beside the usual middleware, without a server.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { compress } from "hono/compress";
import { getCookie, setCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { csrf } from "hono/csrf";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import PortierClient, { LoginFlow } from "portier-client";
import { portier } from "portier-client/hono";
import { DevBroker, ManualClock, MockTransport, mockClient } from "portier-client/testing";

import { Browser, FORM, namesOf, ORIGIN, placeOf } from "./browser.mjs";

const SECRET = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA";
const DAY = 24 * 60 * 60;
const OF_A_LOGIN = ["__Host-portier-session", "__Host-portier-signed-in"];

const broker = new DevBroker();
after(() => broker.stop());

/** A site with sessions. `first` and `then` add to it, before and after the middleware of the login. */
function make(options = {}, { first, then } = {}) {
  const app = new Hono();
  const client = new PortierClient({ redirectUri: `${ORIGIN}/verify`, broker: broker.origin });
  const auth = portier({ client, secret: SECRET, ...options });
  first?.(app);
  app.use(auth.middleware);
  then?.(app, auth);
  app.get("/members", auth.requireLogin, (c) => c.text(`You are ${c.var.session.email}.`));
  app.onError((error, c) => (error instanceof HTTPException ? error.getResponse() : c.text("failed", 500)));
  return { auth, app, browser: new Browser((request) => app.fetch(request), broker) };
}

/** The same, with a session that is old enough to be renewed. */
function old(define) {
  const clock = new ManualClock(1_790_000_000_000);
  const client = mockClient({ redirectUri: `${ORIGIN}/verify`, clock, transport: new MockTransport() });
  const sessions = { sessionMaxAge: 2 * DAY };
  const [, cookie] = new LoginFlow(client, { secret: SECRET, ...sessions }).startSession("alice@example.com");
  clock.advance(1.5 * DAY * 1000);
  const { app } = make({ client, ...sessions }, { then: define });
  return (page) => app.request(page, { headers: { cookie: cookie.split(";")[0] } });
}

test("a login, a page for members, and a logout", async () => {
  const { browser } = make({ loginUrl: "/login" });
  const turned = await browser.get("/members?page=2");
  assert.deepEqual([turned.status, placeOf(turned)], [303, "/login?next=%2Fmembers%3Fpage%3D2"]);
  const done = await browser.logIn("/members?page=2");
  assert.deepEqual([done.status, placeOf(done), await done.text()], [303, "/members?page=2", ""]);
  assert.equal(done.headers.get("content-type"), null);
  assert.equal(await (await browser.get("/members")).text(), "You are alice@example.com.");
  assert.equal((await browser.post("/logout", "")).status, 303);
  assert.equal((await browser.get("/members")).status, 303);
  assert.equal((await browser.get("/login")).status, 404, "the page with the form is the site's");
});

test("a login works beside the usual middleware", async () => {
  for (const flow of ["code", "implicit"]) {
    const first = (app) => app.use(cors({ origin: "https://other.example", credentials: true }), compress());
    const then = (app) => {
      app.use(csrf(), secureHeaders({ contentSecurityPolicy: { formAction: ["'self'"] } }));
      app.post("/", (c) => c.text("posted"));
    };
    const { browser } = make({ flow }, { first, then });
    const started = await browser.post("/login", "email=alice%40example.com&next=/members");
    assert.equal(started.status, 303);
    const answer = new URLSearchParams(broker.signIn(placeOf(started)));
    // In the implicit flow, the form is posted by a page of another site.
    const done =
      flow === "code"
        ? await browser.get(`/verify?${answer}`)
        : await browser.post("/verify", answer, { "sec-fetch-site": "cross-site", origin: "null" });
    assert.deepEqual([done.status, placeOf(done), namesOf(done).toSorted()], [303, "/members", OF_A_LOGIN], flow);
    const page = await browser.get("/members", { "accept-encoding": "gzip" });
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-security-policy"), /form-action 'self'/);
    assert.equal((await browser.post("/", "", { "sec-fetch-site": "cross-site" })).status, 403);
  }
});

test("the policy of a page replaces that of the site", async () => {
  const first = (app) =>
    app.use(async (c, next) => {
      c.res.headers.set("content-security-policy", "default-src 'self'");
      c.res.headers.set("x-site", "1");
      await next();
    });
  const { browser } = make({}, { first });
  const page = await browser.post("/login", "email=nobody");
  assert.equal(page.status, 400);
  assert.match(page.headers.get("content-security-policy"), /default-src 'none'/);
  assert.equal(page.headers.get("x-site"), "1");
});

const BEFORE = {
  "by no middleware": undefined,
  "with c.header": (c) => c.header("set-cookie", "before=1", { append: true }),
  "with setCookie": (c) => setCookie(c, "before", "1"),
  "on c.res": (c) => c.res.headers.append("set-cookie", "before=1"),
};
const ANSWERS = {
  "nothing": [() => undefined, []],
  "a cookie alone": [(c) => void setCookie(c, "own", "1"), ["own"]],
  "a redirect": [(c) => c.redirect("/welcome", 303), []],
  "a redirect with a cookie": [(c) => (setCookie(c, "own", "1"), c.redirect("/welcome")), ["own"]],
  "a text": [(c) => c.text("welcome"), []],
  "a Response with cookies": [
    () => new Response("welcome", { headers: [["set-cookie", "own=1"], ["set-cookie", "other=1"]] }),
    ["other", "own"],
  ],
  "a Response that cannot be changed": [() => Response.redirect(`${ORIGIN}/welcome`), []],
};
for (const [how, before] of Object.entries(BEFORE)) {
  test(`no cookie of a login or of the site is lost before=${how}`, async () => {
    for (const [what, [answer, own]] of Object.entries(ANSWERS)) {
      const first = before && ((app) => app.use((c, next) => (before(c), next())));
      const { browser } = make({ onLogin: (login, c) => answer(c) }, { first });
      const done = await browser.logIn();
      const expected = [...OF_A_LOGIN, ...own, ...(before ? ["before"] : [])].toSorted();
      assert.deepEqual(namesOf(done).toSorted(), expected, what);
    }
  });
}

test("a response that the site sends to everybody never has the cookies of one person", async () => {
  const welcome = new Response(null, { status: 303, headers: { location: "/welcome" } });
  const { browser } = make({ onLogin: () => welcome });
  assert.deepEqual(namesOf(await browser.logIn()).toSorted(), OF_A_LOGIN);
  const visit = old((app, { requireLogin }) => app.get("/welcome", requireLogin, () => welcome));
  assert.deepEqual(namesOf(await visit("/welcome")), ["__Host-portier-session"]);
  assert.deepEqual(namesOf(welcome), []);
});

test("nobody is signed in after a hook that refuses or fails", async () => {
  const hooks = {
    403: (login, c) => c.text("suspended", 403),
    401: () => {
      throw new HTTPException(401, { res: new Response("suspended", { status: 401 }) });
    },
    500: () => Promise.reject(new Error("the site has failed")),
  };
  for (const [status, onLogin] of Object.entries(hooks)) {
    const { browser } = make({ onLogin });
    const done = await browser.logIn();
    assert.deepEqual([done.status, namesOf(done)], [Number(status), []]);
  }
});

const READERS = {
  "text": (c) => c.req.text(),
  "arrayBuffer": (c) => c.req.arrayBuffer(),
  "formData": (c) => c.req.formData(),
  "parseBody": (c) => c.req.parseBody(),
};
for (const [name, read] of Object.entries(READERS)) {
  test(`a form that middleware has read starts a login: ${name}`, async () => {
    const first = (app) => {
      app.use(bodyLimit({ maxSize: 1024 * 1024 }));
      app.use(async (c, next) => {
        await read(c);
        await next();
      });
    };
    const { browser } = make({}, { first });
    assert.equal((await browser.post("/login", "email=alice%40example.com")).status, 303);
    assert.equal((await browser.post("/login", "email=a&email=b")).status, 400);
  });
}

test("a hook can read the form, to show it again", async () => {
  const onLoginError = async ({ code }, c) => c.text(`${code} ${(await c.req.parseBody()).email}`, 400);
  const { browser } = make({ onLoginError });
  assert.equal(await (await browser.post("/login", "email=nobody")).text(), "invalid_email nobody");
});

test("a form is limited while it is read", async () => {
  const { browser } = make();
  for (const page of ["/login", "/verify"]) {
    let read = 0;
    const body = new ReadableStream({
      pull(controller) {
        read += 1024;
        controller.enqueue(new Uint8Array(1024).fill(97));
      },
    });
    assert.equal((await browser.post(page, body)).status, 413, page);
    assert.ok(read < 1024 * 1024, `${page} ${read}`);
  }
});

test("a page of the site replaces the built-in page", async () => {
  const { browser } = make({ showProblem: ({ id, status }, c) => c.html(`<h1>${id} ${c.req.path}</h1>`, status) });
  const page = await browser.post("/login", "email=nobody");
  assert.deepEqual([page.status, await page.text()], [400, "<h1>invalid_email /login</h1>"]);
});

test("a session is renewed once, by whatever the site responds with", async () => {
  const visit = old((app, { requireLogin, session }) => {
    app.use(compress());
    app.get("/text", requireLogin, async (c) => {
      await session(c);
      setCookie(c, "own", getCookie(c, "own") ?? "1");
      return c.text("a text");
    });
    app.get("/raw", requireLogin, () => new Response("raw", { headers: { "set-cookie": "own=1" } }));
    app.get("/ask", async (c) => c.json({ email: (await session(c))?.email }));
    app.get("/fail", requireLogin, () => {
      throw new Error("the site has failed");
    });
    app.get("/end", requireLogin, (c) => c.body(null, 200, { "set-cookie": "__Host-portier-session=; Max-Age=0" }));
    app.get("/static", (c) => c.text("the same for everybody"));
  });
  const sets = async (page) => namesOf(await visit(page));
  assert.deepEqual(await sets("/text"), ["own", "__Host-portier-session"]);
  assert.deepEqual(await sets("/raw"), ["own", "__Host-portier-session"]);
  assert.deepEqual(await sets("/ask"), ["__Host-portier-session"]);
  assert.deepEqual(await sets("/fail"), ["__Host-portier-session"]);
  assert.deepEqual((await visit("/end")).headers.getSetCookie(), ["__Host-portier-session=; Max-Age=0"]);
  assert.deepEqual(await sets("/static"), []);
});

test("a part of the site may have a path of its own", async () => {
  const client = new PortierClient({ redirectUri: `${ORIGIN}/shop/verify`, broker: broker.origin });
  const part = new Hono();
  const { middleware, requireLogin } = portier({ client, secret: SECRET, loginPath: "/shop/login", logoutPath: null });
  part.use(middleware);
  part.get("/members", requireLogin, (c) => c.text("for members"));
  const app = new Hono().route("/shop", part);
  assert.equal((await app.request("/shop/members")).status, 303);
  assert.equal((await app.request("/shop/verify")).status, 405);
  assert.equal((await app.request("/verify")).status, 404);
  const headers = { "content-type": FORM, "sec-fetch-site": "same-origin" };
  assert.equal((await app.request("/shop/login", { method: "POST", headers, body: "email=a%40b.example" })).status, 303);
});
