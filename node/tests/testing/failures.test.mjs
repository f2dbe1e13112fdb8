// What a login says that fails.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { inspect } from "node:util";
import { after, mock, test } from "node:test";

import { DevBroker, login, LoginFailed, TestSession } from "portier-client/testing";

import { clientOf, SITES } from "./sites.mjs";

const broker = new DevBroker();
after(() => broker.stop());

const fetchSite = (client = clientOf(broker), more) => SITES["a handler of fetch"](client, more);

async function failing(app, options, email = "alice@example.com") {
  const error = await login(app, email, options).then(() => assert.fail("it logged in"), (error) => error);
  assert.ok(error instanceof LoginFailed, inspect(error));
  assert.doesNotMatch(error.message, /[?&](?:state|code|nonce)=|alice/);
  return error;
}

test("an address that is none", async () => {
  const { message, response } = await failing(fetchSite(), {}, "nobody");
  assert.match(message, /^the login did not start: the login form \/login answered 400 \(problem invalid_email\): /);
  assert.equal(response.problem, "invalid_email");
});

test("a site that leads to the public broker is not followed there", async () => {
  const app = (request) => new Response(null, { status: 303, headers: { location: "https://broker.portier.io/auth?redirect_uri=https%3A%2F%2Fexample.com%2F" } });
  const { message } = await failing(app);
  assert.match(message, /^the site redirects to https:\/\/broker\.portier\.io, which is not a development broker; .*PORTIER_BROKER/);
});

test("a site that leads anywhere else", async () => {
  const app = (request) => new Response(null, { status: 303, headers: { location: "http://127.0.0.1:1/account" } });
  assert.match((await failing(app)).message, /^the site redirects to http:\/\/127\.0\.0\.1:1, which is not a development broker/);
});

test("another broker than the one that is named", async () => {
  const other = new DevBroker();
  after(() => other.stop());
  for (const named of [other, other.origin]) {
    const { message } = await failing(fetchSite(), { broker: named });
    assert.ok(message.startsWith(`the site redirects to ${broker.origin}, which is not `), message);
  }
  for (const named of [broker, broker.origin]) await login(fetchSite(), "alice@example.com", { broker: named });
});

test("a broker that has stopped", async () => {
  const stopped = new DevBroker();
  const app = fetchSite(clientOf(stopped));
  await login(app, "alice@example.com");
  stopped.stop();
  const { message, cause } = await failing(app);
  assert.equal(message, `the development broker cannot be reached origin=${stopped.origin}`);
  assert.equal(cause.code, "ECONNREFUSED");
  // A site that has not asked for its documents yet.
  const { message: fresh } = await failing(fetchSite(clientOf(stopped)));
  assert.match(fresh, /answered 503 \(problem broker_unavailable\): .*; does the client of the site have the development broker/);
});

test("a broker that refuses", async () => {
  const refusing = new DevBroker({ mode: "refuse" });
  after(() => refusing.stop());
  const { message, response } = await failing(fetchSite(clientOf(refusing)));
  assert.match(message, /^the login did not complete: GET \/verify answered 403 \(problem cancelled\): /);
  assert.equal(response.problem, "cancelled");
});

test("a site without a login form", async () => {
  const { message } = await failing(() => new Response("<h1>Nothing here</h1>", { status: 404 }));
  assert.match(message, /no form with an e-mail address was found: GET \/login answered 404: Nothing here; GET \/ answered 404/);
  assert.match(message, /name the page with the form: page: "\/sign-in"/);
});

test("a site that loses the cookie of the login", async () => {
  const site = fetchSite();
  const app = async (request) => {
    const { status, headers, body } = await site(request);
    const kept = new Headers([...headers].filter(([name]) => name !== "set-cookie"));
    return new Response(body, { status, headers: kept });
  };
  const { message } = await failing(app);
  assert.match(message, /\(problem cookies_needed\)/);
});

test("a site whose answer to the callback is an error", async () => {
  const onLogin = () => {
    throw new Error("the database is away");
  };
  const { message, response } = await failing(SITES["a site of Express"](clientOf(broker), { onLogin }));
  assert.match(message, /^the login did not complete: GET \/verify answered 500: /);
  assert.equal(response.status, 500);
});

test("a redirect URI on another host than the login form", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address();
  server.on("request", SITES["a handler of node:http"](clientOf(broker, { redirectUri: `http://localhost:${port}/verify` })));
  const { message } = await failing(`http://127.0.0.1:${port}`);
  assert.match(message, /another host than its login form.* redirect_uri=http:\/\/localhost:\d+ login_form=http:\/\/127\.0\.0\.1:\d+$/);
});

test("a site that redirects in circles", async () => {
  const app = (request) => new Response(null, { status: 303, headers: { location: request.url } });
  assert.match((await failing(app)).message, /^too many redirects; /);
});

test("a site that never answers", async () => {
  const sites = { "a handler of fetch": () => new Promise(() => {}), "a handler of node:http": (request, response) => {} };
  const check = async () => {
    for (const [kind, app] of Object.entries(sites)) {
      const { message } = await failing(app, { timeoutMs: 50 });
      assert.equal(message, "no response within 50 ms: GET http://localhost/login", kind);
    }
  };
  await check();
  // Also while the timers of the test are fake.
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  try {
    await check();
  } finally {
    mock.timers.reset();
  }
  await login(fetchSite(), "alice@example.com", { timeoutMs: Infinity });
});

test("a site that throws", async () => {
  const defect = new TypeError("a defect of the site");
  const app = () => {
    throw defect;
  };
  await assert.rejects(login(app, "alice@example.com"), defect);
});

test("a browser that has been nowhere, and forms that are not there", async () => {
  const session = new TestSession(fetchSite());
  assert.throws(() => session.response, /^LoginFailed: the browser has not visited the site yet/);
  await assert.rejects(session.reload(), /has not visited/);
  await session.visit("/login");
  await assert.rejects(session.submit("/logout"), /the page has 0 such forms action=\/logout; it \/login answered 200/);
  await assert.rejects(session.confirm(), /does not ask whether to continue/);
  await assert.rejects(session.get("https://elsewhere.example/"), /not an address of the site/);
});

test("neither sessions nor responses show secrets in logs", async () => {
  const session = await login(fetchSite(), "alice@example.com");
  assert.equal(inspect(session), "TestSession { origin: 'https://example.com' }");
  assert.equal(inspect(session.response), "TestResponse { url: 'https://example.com/', status: 404 }");
});

test("an error that nobody catches shows no page", async () => {
  const error = await failing(fetchSite(), {}, "nobody");
  // As Node prints it.
  const printed = inspect(error, { customInspect: false, depth: 10 });
  assert.doesNotMatch(printed, /<html|set-cookie/);
});
