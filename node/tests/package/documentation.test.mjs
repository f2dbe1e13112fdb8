// Checks what the README and the manual say about Node: examples run, and tables are complete. `python/tests` checks
// the examples in Python and the links; `tests/client` checks the README of the package.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import path from "node:path";
import { text as readText } from "node:stream/consumers";
import { test } from "node:test";

import { getRequestListener } from "@hono/node-server";
import * as portier from "portier-client";
import { login } from "portier-client/testing";

import { broker, examples, read, ROOT, run, section, typedExamples } from "./manual.mjs";

const PAGES = [".", "docs", "docs/frameworks"].flatMap(inFolder);
const EXAMPLES = PAGES.map((page) => [page, examples(read(page))]);

for (const [page, blocks] of EXAMPLES) {
  if (blocks.length === 0) continue;
  test(`examples run page=${page}`, async () => {
    for (const [number, code] of blocks.entries()) {
      const { app, server } = await run(`${page.replaceAll("/", "-")}-${number}.mjs`, code);
      await (server ?? app)?.close?.();
    }
  });
}

const FROM_HERE = { "sec-fetch-site": "same-origin" };
const FROM_ELSEWHERE = { "sec-fetch-site": "cross-site" };

test("the Fastify site of the manual logs in", async (t) => {
  const { app } = await run("fastify.mjs", section("docs/getting-started-node.md", "With Fastify"));
  t.after(() => app.close());
  await logIn(async ({ url, headers, payload }) => {
    const method = payload === undefined ? "GET" : "POST";
    const { body, headers: sent, statusCode: status } = await app.inject({ method, url, headers, payload });
    return { body, status, location: sent.location, cookies: [sent["set-cookie"] ?? []].flat() };
  });
});

test("the Express site of the README logs in", async (t) => {
  const { server } = await run("express.mjs", section("README.md", "Node"));
  await logIn(await visitorOf(server, t));
});

for (const framework of ["Express", "Fastify"]) {
  test(`the ${framework} site of the manual keeps people signed in`, async (t) => {
    const { app, site } = await run(`signed-in-${framework}.mjs`, section("docs/sessions.md", framework));
    await app?.ready();
    const ask = await visitorOf(createServer(site ?? app.routing).listen(0, "localhost"), t);
    const turned = await ask({ url: "/members", headers: {} });
    assert.deepEqual([turned.status, turned.location], [303, "/?next=%2Fmembers"]);
    const started = await ask(form("/login", { email: "alice@example.com", next: "/members" }, FROM_HERE));
    const done = await ask({ url: callbackOf(started), headers: { cookie: cookiesOf(started) } });
    assert.deepEqual([done.status, done.location], [303, "/members"]);
    const headers = { cookie: cookiesOf(done), ...FROM_HERE };
    assert.equal((await ask({ url: "/members", headers })).body, "You are alice@example.com.");
    const out = await ask(form("/logout", {}, headers));
    assert.deepEqual([out.status, out.location], [303, "/"]);
    assert.match(cookiesOf(out), /portier-session=;/);
  });
}

// The first example of each page is a whole site.
for (const page of ["express", "fastify", "fetch", "hono", "koa", "nest", "node", "passport"]) {
  test(`the site of the manual for ${page} keeps people signed in`, async (t) => {
    const text = read(`docs/frameworks/${page}.md`);
    const [code] = page === "nest" ? typedExamples(text) : examples(text);
    const { app, default: site, server = app?.server ?? app?.getHttpServer() } = await run(`site-${page}.mjs`, code);
    const listener = site && getRequestListener(site.fetch);
    const ask = await visitorOf(server ?? createServer(listener).listen(0, "localhost"), t);
    const turned = await ask({ url: "/?page=2", headers: {} });
    assert.deepEqual([turned.status, turned.location], [303, "/login?next=%2F%3Fpage%3D2"]);
    const { body } = await ask({ url: turned.location, headers: {} });
    const [, next] = /name="next" value="(.*?)"/.exec(body);
    const started = await ask(form("/login", { email: "alice@example.com", next: next.replaceAll("&#63;", "?") }, FROM_HERE));
    const done = await ask({ url: callbackOf(started), headers: { cookie: cookiesOf(started) } });
    assert.deepEqual([done.status, done.location], [303, "/?page=2"]);
    const headers = { cookie: cookiesOf(done), ...FROM_HERE };
    assert.match((await ask({ url: "/?page=2", headers })).body, /You are alice@example\.com\./);
    const out = await ask(form("/logout", {}, headers));
    assert.deepEqual([out.status, out.location], [303, "/login"]);
    assert.equal((await ask({ url: "/", headers: { cookie: cookiesOf(out) } })).status, 303, "signed out");
  });
}

test("the Express site of the manual with express-session, helmet and csrf-csrf signs in and out", async () => {
  const { site } = await run("companions.mjs", section("docs/frameworks/express.md", "Sessions"));
  // The page of the form sets a `Secure` cookie, so it has to know the origin.
  const origin = "https://example.com";
  const session = await login(site, "alice@example.com", { next: "/?page=2", origin });
  assert.equal(session.response.url, "https://example.com/?page=2");
  assert.match(session.response.text, /You are Alice\./);
  assert.equal((await session.post("/login", { email: "alice@example.com" })).status, 403, "without a token");
  await session.submit("/logout");
  const turned = await session.get("/?page=2");
  assert.deepEqual([turned.status, turned.location], [303, "https://example.com/login?next=%2F%3Fpage%3D2"]);
  const policy = (await session.get("/login")).headers["content-security-policy"];
  assert.match(policy, new RegExp(`form-action 'self' ${broker.origin}`));
  await assert.rejects(login(site, "bob@example.com", { origin }), ({ response }) => response.problem === "account_unknown");
});

test("the Fastify site of the manual with its session, helmet and CSRF plugins signs in and out", async (t) => {
  const [code] = typedExamples(read("docs/frameworks/fastify.md"));
  const { app } = await run("fastify-companions.mjs", code);
  t.after(() => app.close());
  // The page with the form, which the manual leaves to the site.
  app.get("/login", async (request, reply) => {
    reply.type("text/html");
    return `<form method="post"><input type="hidden" name="csrf" value="${reply.generateCsrf()}"><input name="email"></form>
      <form method="post" action="/logout"><input type="hidden" name="csrf" value="${reply.generateCsrf()}"></form>`;
  });
  const origin = "https://example.com";
  const session = await login(app, "alice@example.com", { next: "/members", origin });
  assert.equal(session.response.text, "You are alice@example.com.");
  assert.equal((await session.post("/login", { email: "alice@example.com" })).status, 403, "without a token");
  assert.match((await session.visit("/login")).headers["content-security-policy"], new RegExp(`form-action 'self' ${broker.origin}`));
  await session.submit("/logout");
  assert.equal((await session.get("/members")).location, `${origin}/login?next=%2Fmembers`);
  const script = await session.get("/members", { accept: "application/json" });
  assert.deepEqual([script.status, script.problem], [401, "not_signed_in"]);
  await assert.rejects(login(app, "bob@example.com", { origin }), ({ response }) => response.problem === "account_unknown");
});

test("the NestJS module of the manual calls a provider of the site in a hook", async (t) => {
  const [, fragment] = typedExamples(read("docs/frameworks/nest.md"));
  const { app, found } = await run("nest-providers.mjs", `
    import { NestFactory } from "@nestjs/core";
    import { PortierClient } from "portier-client";
    import { PortierModule } from "portier-client/nest";
    export const found = [];
    class UsersService { findOrCreate(email) { found.push(email); } }
    class UsersModule {}
    const users = { module: UsersModule, providers: [UsersService], exports: [UsersService] };
    class AppModule {}
    const portier = ${fragment.trim().replace("[UsersModule]", "[users]").replace(/;$/, "")};
    export const app = await NestFactory.create({ module: AppModule, imports: [portier] }, { logger: false });
  `);
  t.after(() => app.close());
  await app.init();
  await login(app, "alice@example.com", { origin: "https://example.com" });
  assert.deepEqual(found, ["alice@example.com"]);
});

test("the manual gives the cookies of a login to Playwright", async (t) => {
  const text = read("docs/testing-node.md");
  let handler;
  const server = createServer((request, response) => handler(request, response)).listen(0, "localhost");
  t.after(() => server.close());
  await once(server, "listening");
  const origin = `http://localhost:${server.address().port}`;
  const { makeApp } = await run("playwright-site.mjs", examples(text)[0].replace("https://example.com", origin));
  handler = makeApp({ broker: broker.origin });
  const [, code] = /^```js playwright\n(.*?)^```$/ms.exec(text);
  const { opened } = await run("playwright.mjs", `
    import { login } from "portier-client/testing";
    export const opened = [];
    const browser = { newContext: async (options) => opened.push(options) };
    ${code.replace("http://localhost:8888", origin)}
  `);
  assert.deepEqual(opened[0].storageState.cookies.map(({ name }) => name).includes("portier-session"), true);
});

test("the files of frameworks in the manual are those of the sites that are built", () => {
  const folders = { "Next.js": "next", "React Router": "react-router", Nitro: "nitro", SvelteKit: "sveltekit", Astro: "astro" };
  for (const [title, folder] of Object.entries(folders)) {
    const text = read("docs/frameworks/full-stack.md").split("\n## ").find((text) => text.startsWith(`${title}\n`));
    const files = [...text.matchAll(/^`(\S+)`:\n\n```\w+\n(.*?)^```$/gms)];
    assert.ok(files.length > 2, title);
    for (const [, name, content] of files) assert.equal(content, read(`tests/frameworks/${folder}/${name}`), name);
  }
});

/** Logs in at a site of the README or the manual, on any framework. */
async function logIn(ask) {
  const started = await ask(form("/", { email: "Alice@Example.com" }, FROM_HERE));
  assert.equal(started.status, 303);
  const callback = callbackOf(started);
  const headers = { cookie: cookiesOf(started) };
  const done = await ask({ url: callback, headers });
  assert.deepEqual([done.status, done.location], [303, "/"]);

  const cookie = cookiesOf(done);
  assert.match((await ask({ url: "/", headers: { cookie } })).body, /You are alice@example\.com/);
  const tampered = cookie.replace("alice", "bob");
  assert.doesNotMatch((await ask({ url: "/", headers: { cookie: tampered } })).body, /You are/);

  // In another browser, which comes again with cookies of its own.
  const between = await ask({ url: callback, headers: {} });
  const again = await ask({ url: `/verify${between.location}`, headers: { cookie: cookiesOf(between) } });
  assert.equal(again.status, 400);
  assert.doesNotMatch(cookiesOf(again), /email/);
  assert.match(again.body, /data-id="used"/);
  assert.equal((await ask(form("/", { email: "nobody" }, FROM_HERE))).status, 400);
  const foreign = await ask(form("/", { email: "alice@example.com" }, FROM_ELSEWHERE));
  assert.equal(foreign.status, 403);
}

/** Where the browser comes back to from the broker. */
function callbackOf({ location }) {
  return `/verify?${new URLSearchParams(broker.signIn(location))}`;
}

/** Sends a request like a browser that navigates; `fetch` would count as a script. */
async function visitorOf(server, t) {
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  if (!server.listening) await once(server, "listening");
  const { port } = server.address();
  return async ({ url, headers, payload }) => {
    const method = payload === undefined ? "GET" : "POST";
    const request = httpRequest({ host: "localhost", port, path: url, method, headers });
    const [response] = await once(request.end(payload), "response");
    const { location, "set-cookie": cookies = [] } = response.headers;
    return { body: await readText(response), status: response.statusCode, location, cookies };
  };
}

function cookiesOf({ cookies }) {
  return cookies.map((line) => line.split(";")[0]).join("; ");
}

test("the site of the manual without a framework logs in", async (t) => {
  const code = section("docs/web.md", "Any other server").replace("https://example.com", "http://localhost");
  const { handle } = await run("any.mjs", code);
  const ask = await visitorOf(createServer(handle).listen(0, "localhost"), t);
  const started = await ask(form("/login", { email: "Alice@Example.com", next: "/members" }, FROM_HERE));
  assert.equal(started.status, 303);
  const done = await ask({ url: callbackOf(started), headers: { cookie: cookiesOf(started) } });
  assert.deepEqual([done.status, done.location], [303, "/members"]);
  assert.match(cookiesOf(done), /^__Host-session=[\w-]+; portier-signed-in=/);
});

test("the script of the manual starts a login", async (t) => {
  const { startLogin } = await run("script.mjs", section("docs/web.md", "Logins by script"));
  const client = new portier.PortierClient({ redirectUri: "http://localhost/verify", broker: broker.origin });
  const flow = new portier.LoginFlow(client);
  const server = createServer(async (request, response) => {
    (await flow.login(request)).send(response);
  }).listen(0, "localhost");
  t.after(() => server.close());
  await once(server, "listening");
  const places = [];
  globalThis.location = { assign: (url) => places.push(url) };
  t.after(() => delete globalThis.location);
  const action = `http://localhost:${server.address().port}/login`;
  assert.match(await startLogin(action, { email: "nobody" }), /does not look like an e-mail address/);
  assert.equal(await startLogin(action, { email: "alice@example.com" }), undefined);
  assert.deepEqual(places.map((url) => new URL(url).origin), [broker.origin]);
});

test("the script of the manual leads to the login page and back", async (t) => {
  const code = examples(read("docs/web.md")).find((code) => code.includes("fetchForMembers("));
  const { fetchForMembers } = await run("members.mjs", code);
  const server = createServer((request, response) => flow.requireLogin(request).send(response)).listen(0, "localhost");
  t.after(() => server.close());
  await once(server, "listening");
  const site = `http://localhost:${server.address().port}`;
  const client = new portier.PortierClient({ redirectUri: `${site}/verify`, broker: broker.origin });
  const flow = new portier.LoginFlow(client, { loginUrl: "/login?a=b" });
  const places = [];
  globalThis.location = { href: `${site}/members?page=2`, assign: (url) => places.push(url) };
  t.after(() => delete globalThis.location);
  await fetchForMembers(`${site}/list.json`);
  const [{ origin, pathname, searchParams }] = places;
  assert.deepEqual([origin, pathname, searchParams.get("a")], [site, "/login", "b"]);
  assert.equal(flow.safeNext(searchParams.get("next")), "/members?page=2");
});

test("the session example of the manual begins a new session at a login", async (t) => {
  const page = section("docs/security.md", "Sessions");
  const { site } = await run("sessions.mjs", page.replace("https://example.com", "http://localhost"));
  site.get("/", ({ session }, response) => response.send(session.email ?? "nobody"));
  const server = site.listen(0, "localhost");
  const visit = await visitorOf(server, t);
  const ask = (url, cookie, fields) =>
    visit(fields === undefined ? { url, headers: { cookie } } : form(url, fields, { cookie, ...FROM_HERE }));
  const sessions = [];
  let jar = "";
  for (const name of ["alice", "bob"]) {
    const started = await ask("/login", jar, { email: `${name}@example.com` });
    const done = await ask(callbackOf(started), `${jar}; ${started.cookies[0].split(";")[0]}`);
    assert.equal(done.status, 303);
    jar = done.cookies.map((line) => line.split(";")[0]).find((cookie) => /session/.test(cookie));
    sessions.push(jar);
  }
  const people = await Promise.all(sessions.map(async (cookie) => (await ask("/", cookie)).body));
  assert.deepEqual(people, ["nobody", "bob@example.com"]);
});

test("every option is documented with its default", () => {
  const rows = read("docs/configuration.md").matchAll(/^\| `\w+` \| `[^`]*` \| `(\w+)` \| `([^`]*)` \|/gm);
  const documented = Object.fromEntries([...rows].map(([, name, value]) => [name, evaluate(value)]));
  const source = read("node/src/names.ts");
  const [, list] = /const NAMES = \[(.*?)\]/s.exec(source);
  const names = [...list.matchAll(/"(\w+)"/g)].map(([, name]) => name);
  // The redirect URI is not optional, and `leeway` is a second name.
  const options = names.filter((name) => name !== "redirectUri" && name !== "leeway");
  assert.deepEqual(Object.keys(documented).sort(), options.sort());

  const client = new portier.PortierClient({ redirectUri: "https://example.com/verify" });
  for (const name of ["broker", "responseMode", "leewayMs"]) {
    assert.equal(documented[name], client[name], name);
  }
  // A default is a value like any other.
  new portier.PortierClient({ redirectUri: "https://example.com/verify", ...documented });
});

test("every option's documented range is the range", () => {
  const make = (options) =>
    new portier.PortierClient({ redirectUri: "https://example.com/verify", ...options });
  for (const [name, least, most] of [
    ["leewayMs", 0, 300_000],
    ["sessionTtlMs", 1_000, 86_400_000],
    ["timeoutMs", 1, 60_000],
  ]) {
    make({ [name]: least });
    make({ [name]: most });
    for (const outside of [least - 1, most + 1]) {
      assert.throws(() => make({ [name]: outside }), portier.ConfigError, `${name}=${outside}`);
    }
  }
});

test("every class of errors is in the table of the manual", () => {
  const classes = read("docs/errors.md").matchAll(/^## `(\w+)`/gm);
  for (const [, name] of classes) {
    assert.ok(portier[name].prototype instanceof portier.PortierError, name);
    assert.match(read("docs/errors.md"), new RegExp(`^\\| \`${name}\` \\|`, "m"));
  }
});

function inFolder(folder) {
  const names = readdirSync(path.join(ROOT, folder)).filter((name) => name.endsWith(".md")).sort();
  return names.map((name) => path.posix.join(folder, name));
}

function form(url, fields, headers) {
  const payload = new URLSearchParams(fields).toString();
  const type = "application/x-www-form-urlencoded";
  return { method: "POST", url, payload, headers: { "content-type": type, ...headers } };
}

/** The value of a default as it is written in a table. */
function evaluate(text) {
  return text === "undefined" ? undefined : JSON.parse(text.replaceAll(/(?<=\d)_(?=\d)/g, ""));
}
