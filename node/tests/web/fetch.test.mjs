// `portier-client/web`: a login through handlers of `fetch`, without a server.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import PortierClient, { ConfigError, LoginFlow } from "portier-client";
import { DevBroker, ManualClock, MockTransport, mockClient } from "portier-client/testing";
import { portier } from "portier-client/web";

import { Browser, FORM, namesOf, ORIGIN, placeOf } from "./browser.mjs";

const SECRET = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA";
const DAY = 24 * 60 * 60;

const broker = new DevBroker();
after(() => broker.stop());

const clientOf = (options) => new PortierClient({ redirectUri: `${ORIGIN}/verify`, broker: broker.origin, ...options });

/** A site without a page of its own. */
function make(options = {}) {
  const logins = [];
  const onLogin = ({ email }) => void logins.push(email);
  const auth = portier({ client: clientOf(), onLogin, ...options });
  return { ...auth, logins, browser: new Browser(auth.handle, broker) };
}

/** A site whose session is old enough to be renewed. */
function old() {
  const clock = new ManualClock(1_790_000_000_000);
  const client = mockClient({ redirectUri: `${ORIGIN}/verify`, clock, transport: new MockTransport() });
  const sessions = { secret: SECRET, sessionMaxAge: 2 * DAY };
  const [, setCookie] = new LoginFlow(client, sessions).startSession("alice@example.com");
  clock.advance(1.5 * DAY * 1000);
  const request = (page = "/members") => new Request(ORIGIN + page, { headers: { cookie: setCookie.split(";")[0] } });
  return { ...portier({ client, ...sessions }), request };
}

test("a login leads to its page and begins a session", async () => {
  const { browser, requireLogin, session } = make({ secret: SECRET, onLogin: undefined });
  const done = await browser.logIn("/members?page=2");
  assert.deepEqual([done.status, placeOf(done), await done.text()], [303, "/members?page=2", ""]);
  assert.deepEqual(namesOf(done).toSorted(), ["__Host-portier-session", "__Host-portier-signed-in"]);
  const request = new Request(`${ORIGIN}/members`, { headers: browser.headers });
  assert.equal((await session(request)).email, "alice@example.com");
  assert.equal((await session({ headers: new Headers(browser.headers) })).email, "alice@example.com");
  assert.equal((await requireLogin(request)).email, "alice@example.com");
  const out = await browser.post("/logout", "");
  assert.deepEqual([out.status, placeOf(out)], [303, "/"]);
  assert.equal(await session({ headers: new Headers(browser.headers) }), null);
});

test("every other request is the site's", async () => {
  const { handle, GET, POST } = make();
  for (const [method, page] of [["GET", "/"], ["GET", "/login"], ["HEAD", "/login"], ["POST", "/logout"], ["GET", "/verify/"]]) {
    const request = () => new Request(ORIGIN + page, { method });
    assert.equal(await handle(request()), undefined, page);
    const own = new Response("the site's");
    assert.equal(await handle(request(), () => own), own, page);
    assert.equal((await GET(request())).status, 404, page);
  }
  assert.equal((await POST(new Request(`${ORIGIN}/verify`, { method: "PUT" }))).status, 405);
});

test("somebody who is not signed in is redirected to the login page and back", async () => {
  const { requireLogin } = make({ secret: SECRET, loginUrl: "/login" });
  const turned = await requireLogin(new Request(`${ORIGIN}/members?page=2`));
  assert.ok(turned instanceof Response);
  assert.deepEqual([turned.status, placeOf(turned)], [303, "/login?next=%2Fmembers%3Fpage%3D2"]);
  const script = await requireLogin(new Request(ORIGIN, { headers: { accept: "application/json" } }));
  assert.deepEqual([script.status, script.headers.get("content-type")], [401, "application/problem+json"]);
});

test("a response of the site keeps its cookies beside those of the login", async () => {
  const onLogin = ({ email }) =>
    new Response("welcome", { status: 201, headers: [["set-cookie", `email=${email}`], ["set-cookie", "b=2"]] });
  const { browser } = make({ onLogin, secret: SECRET });
  const done = await browser.logIn();
  assert.deepEqual([done.status, await done.text()], [201, "welcome"]);
  assert.deepEqual(namesOf(done).toSorted(), ["__Host-portier-session", "__Host-portier-signed-in", "b", "email"]);
});

test("a response that the site sends to everybody never has the cookies of one person", async () => {
  const welcome = new Response(null, { status: 303, headers: { location: "/welcome" } });
  const { browser } = make({ onLogin: () => welcome, secret: SECRET });
  assert.equal(namesOf(await browser.logIn()).length, 2);
  const { handle, request, session } = old();
  const visit = request();
  const renewed = await handle(visit, async () => {
    await session(visit);
    return welcome;
  });
  assert.deepEqual([namesOf(renewed), namesOf(welcome)], [["__Host-portier-session"], []]);
});

test("a redirect that cannot be changed is sent with the cookies", async () => {
  const { browser } = make({ onLogin: () => Response.redirect(`${ORIGIN}/welcome`, 303) });
  const done = await browser.logIn();
  assert.deepEqual([done.status, placeOf(done), namesOf(done)], [303, `${ORIGIN}/welcome`, ["__Host-portier-signed-in"]]);
});

test("nobody is signed in after a hook that fails", async () => {
  const failures = {
    "a response with an error": () => new Response("suspended", { status: 403 }),
    "an exception": () => {
      throw new Error("the site has failed");
    },
    "a rejection": () => Promise.reject(new Error("the site has failed")),
  };
  for (const [what, fail] of Object.entries(failures)) {
    let seen;
    const onLogin = (login, request) => {
      seen = request;
      return fail();
    };
    const { browser, session } = make({ onLogin, secret: SECRET });
    const callback = await browser.start();
    if (what.includes("response")) {
      const refused = await browser.get(callback);
      assert.deepEqual([refused.status, namesOf(refused)], [403, []]);
    } else {
      await assert.rejects(browser.get(callback), /the site has failed/);
    }
    assert.equal(await session(seen), null, what);
    assert.match(await (await browser.get(`${callback}&portier_again=1`)).text(), /data-id="used"/, what);
  }
});

test("in a hook the session is the one that begins", async () => {
  const auth = make({
    secret: SECRET,
    onLogin: async ({ email }, request) => new Response((await auth.session(request)).email === email),
  });
  assert.equal(await (await auth.browser.logIn()).text(), "true");
});

test("a hook that returns something else is an error, and signs nobody in", async () => {
  for (const wrong of ["/members", 1, {}, [["location", "/"]]]) {
    const { browser } = make({ onLogin: () => wrong });
    const expected = { name: "ConfigError", message: "onLogin returned neither a Response nor undefined" };
    await assert.rejects(browser.logIn(), expected);
  }
});

test("a page of the site replaces the built-in page", async () => {
  const own = { does: "text" };
  const showProblem = ({ id }) => (own.does === "text" ? `<h1>${id}</h1>` : own.does);
  const { browser } = make({ showProblem });
  const refuse = () => browser.post("/login", "email=nobody");
  const page = await refuse();
  assert.deepEqual([page.status, await page.text()], [400, "<h1>invalid_email</h1>"]);
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(page.headers.get("content-security-policy"), null);
  own.does = new Response("teapot", { status: 418 });
  assert.equal((await refuse()).status, 418);
  own.does = undefined;
  const builtIn = await refuse();
  assert.match(builtIn.headers.get("content-security-policy"), /default-src 'none'/);
  assert.match(await builtIn.text(), /data-id="invalid_email"/);
});

test("the question may be a page of the site", async () => {
  const { browser, handle } = make({ showConfirmation: ({ email }) => `<h1>${email}?</h1>` });
  const phone = new Browser(handle, broker);
  const callback = await browser.start();
  const between = await phone.get(callback);
  const asked = await phone.get(`/verify${placeOf(between)}`);
  assert.deepEqual([asked.status, await asked.text()], [200, "<h1>alice@example.com?</h1>"]);
  assert.ok(namesOf(asked).includes("__Host-portier"));
});

test("a hook can read the form, to show it again", async () => {
  const onLoginError = async (error, request) => {
    const form = await request.formData();
    return new Response(`${error.code} ${form.get("email")}`, { status: 400 });
  };
  const { browser } = make({ onLoginError });
  assert.equal(await (await browser.post("/login", "email=nobody")).text(), "invalid_email nobody");
});

test("a form that was read before is a mistake of the site", async () => {
  const { handle } = make();
  const headers = { "content-type": FORM, "sec-fetch-site": "same-origin" };
  const request = new Request(`${ORIGIN}/login`, { method: "POST", headers, body: "email=alice%40example.com" });
  await request.text();
  const answer = await handle(request);
  assert.equal(answer.status, 500);
  assert.match(await answer.text(), /data-id="internal"/);
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

test("a session is renewed by the response, once", async () => {
  const { handle, request, requireLogin, session } = old();
  const visit = request();
  const page = await handle(visit, async () => {
    const { email } = await session(visit);
    await requireLogin(visit);
    return new Response(email, { headers: { "set-cookie": "seen=1" } });
  });
  assert.deepEqual([await page.text(), namesOf(page)], ["alice@example.com", ["seen", "__Host-portier-session"]]);
});

test("a session is not renewed by a response for which nobody has asked for it", async () => {
  const { handle, request } = old();
  const page = new Response("the same for everybody", { headers: { "cache-control": "public" } });
  assert.equal(await handle(request(), () => page), page);
});

test("a renewal does not replace the cookie of another session", async () => {
  const { handle, request, session } = old();
  for (const cookie of ["__Host-portier-session=another; Path=/", "__Host-portier-session=; Max-Age=0"]) {
    const visit = request();
    const page = await handle(visit, async () => {
      await session(visit);
      return new Response("", { headers: { "set-cookie": cookie } });
    });
    assert.deepEqual(page.headers.getSetCookie(), [cookie]);
  }
});

test("a session is renewed by headers of the site instead", async () => {
  const { handle, request, session } = old();
  const headers = new Headers({ "set-cookie": "seen=1" });
  const visit = request();
  const page = await handle(visit, async () => {
    await session(visit);
    await session(visit, headers);
    await session(visit, headers);
    return new Response("", { headers });
  });
  assert.deepEqual(namesOf(page), ["seen", "__Host-portier-session"]);
});

test("a result that is not a response is passed on, as in h3", async () => {
  const { handle, request, session } = old();
  for (const result of ["for members", { email: "alice@example.com" }, null, Symbol("not handled")]) {
    const headers = new Headers();
    const visit = request();
    const page = await handle(visit, async () => {
      await session(visit, headers);
      return result;
    });
    assert.deepEqual([page, headers.getSetCookie().length], [result, 1]);
    const other = request();
    assert.equal(await handle(other, () => session(other).then(() => result)), result);
  }
});

test("an error of accept goes to the site", async () => {
  const accept = () => {
    throw new Error("the database is down");
  };
  const { browser, handle, session } = make({ secret: SECRET, accept });
  await browser.logIn();
  const visit = () => new Request(ORIGIN, { headers: browser.headers });
  await assert.rejects(session(visit()), /the database is down/);
  const request = visit();
  const page = await handle(request, () => session(request).catch(({ message }) => new Response(message)));
  assert.equal(await page.text(), "the database is down");
});

test("the paths are those that the server receives", async () => {
  const client = clientOf({ redirectUri: `${ORIGIN}/app/verify` });
  const { handle } = make({ client, secret: SECRET, callbackPath: "/verify", loginPath: "/auth/login", logoutPath: "/auth/out" });
  const answered = async (method, page) => (await handle(new Request(ORIGIN + page, { method }))) !== undefined;
  for (const page of ["/verify", "/verify?code=1", "/auth/out"]) assert.ok(await answered("GET", page), page);
  assert.ok(await answered("POST", "/auth/login"));
  for (const page of ["/app/verify", "/login", "/logout", "/auth/login/"]) assert.ok(!(await answered("POST", page)), page);
});

test("a path that is null is the site's", async () => {
  const auth = make({ secret: SECRET, loginPath: null, logoutPath: null });
  const request = (page) => new Request(ORIGIN + page, { method: "POST", headers: { "sec-fetch-site": "same-origin" } });
  assert.equal(await auth.handle(request("/login")), undefined);
  assert.equal(await auth.handle(request("/logout")), undefined);
  assert.equal((await auth.logout(request("/logout"))).status, 303);
  assert.equal((await auth.startLogin(request("/sign-in"), "alice@example.com")).status, 303);
  assert.equal((await auth.login(request("/sign-in"))).status, 415);
});

test("a mistake in the options shows when the site starts", () => {
  const client = clientOf();
  const onLogin = () => {};
  for (const options of [
    { client },
    { client, onLogin, loginpath: "/login" },
    { client, onLogin, loginPath: "login" },
    { client, onLogin, loginPath: "/login?next=/" },
    { client, onLogin, loginPath: "https://example.com/login" },
    { client, onLogin, loginPath: "/verify" },
    { client, secret: SECRET, logoutPath: "/login" },
    { client, onLogin, loginPath: 1 },
    { client, onLogin: "/members" },
    { client: {}, onLogin },
  ]) {
    assert.throws(() => portier(options), ConfigError, JSON.stringify(Object.keys(options)));
  }
  for (const options of [{}, { onLogin }]) {
    const withSecret = { client, ...options, secret: process.env.NO_SUCH_VARIABLE };
    assert.throws(() => portier(withSecret), /secret is undefined: is its variable/);
  }
  portier({ client, onLogin, secret: null });
});

test("an error is explained in the language of the request", async () => {
  let shown;
  const auth = make({
    languages: ["en", "de"],
    onLoginError: (error, request) => {
      shown = auth.explain(error, request);
    },
  });
  await auth.browser.post("/login", "email=nobody", { "accept-language": "de" });
  assert.deepEqual([shown.id, shown.language], ["invalid_email", "de"]);
  assert.deepEqual(["/members", "https://elsewhere.example"].map(auth.safeNext), ["/members", null]);
});

// Some servers make a whole request of `fetch` only for its stream, or for a list of its headers.
class LazyRequest extends Request {
  constructor(method, { body, ...headers } = {}) {
    super(`${ORIGIN}/verify?code=c&state=s`, { method, body, headers: { "content-type": FORM, ...headers } });
    Object.defineProperty(this.headers, Symbol.iterator, { value: () => assert.fail("all headers were made") });
  }

  get body() {
    return assert.fail("the stream was made");
  }
}

test("a form whose length is known is read without its stream, and a query with neither", async () => {
  const flow = new LoginFlow(clientOf(), { browserBinding: "off" });
  const form = (body, length = body.length) => new LazyRequest("POST", { body, "content-length": String(length) });
  assert.equal((await flow.login(form("email=alice@example.com"))).reply.status, 303);
  assert.equal((await flow.callback(new LazyRequest("GET"))).error.code, "session_unknown");
  assert.equal((await flow.login(form("a".repeat(70_000), 9))).error.code, "request_too_large");
  const used = form("email=alice@example.com");
  await used.text();
  assert.equal((await flow.login(used)).reply.status, 500);
});

test("a form whose stream somebody else holds is an error of the site", async () => {
  const headers = { "content-type": FORM, "content-length": "3" };
  const request = new Request(`${ORIGIN}/login`, { method: "POST", body: "a=b", headers });
  request.body.getReader();
  const { error } = await new LoginFlow(clientOf()).login(request);
  assert.match(error.message, /^the body of the request was read before /);
});
