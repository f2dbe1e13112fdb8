// What the README and the manual say of Node is true: their examples run, their tables are complete.
// The examples in Python, and the links, are the business of `python/tests`; the package's own README
// is that of `tests/client`.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";

import * as portier from "portier-client";
import { DevBroker } from "portier-client/testing";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const PAGES = [...inFolder("."), ...inFolder("docs")];
const EXAMPLES = PAGES.map((page) => [page, examples(read(page))]);

// What a site has of its own.
process.env.SESSION_SECRET = "of these tests only";

// Inside the package: only there its own name leads to it.
const workshop = mkdtempSync(path.join(import.meta.dirname, "documentation-"));
const broker = new DevBroker({ mode: "accept" });
after(() => {
  broker.stop();
  rmSync(workshop, { recursive: true });
});

// The examples speak to the public broker; here the development broker answers.
const LOCAL = `
import { PortierClient as Public } from "portier-client";
export * from "portier-client";
export class PortierClient extends Public {
  constructor(options) {
    super({ broker: ${JSON.stringify(broker.origin)}, ...options });
  }
}
export default PortierClient;
`;
const local = write("local.mjs", LOCAL);

for (const [page, blocks] of EXAMPLES) {
  if (blocks.length === 0) continue;
  test(`examples run page=${page}`, async () => {
    for (const [number, code] of blocks.entries()) {
      const { app, server } = await run(`${page.replaceAll("/", "-")}-${number}.mjs`, code);
      await (server ?? app)?.close();
    }
  });
}

const FROM_HERE = { "sec-fetch-site": "same-origin" };
const FROM_ELSEWHERE = { "sec-fetch-site": "cross-site" };

test("the README logs in with Fastify", async (t) => {
  const { app } = await run("fastify.mjs", section("README.md", "Fastify"));
  t.after(() => app.close());
  await logIn(async ({ url, headers, payload }) => {
    const method = payload === undefined ? "GET" : "POST";
    const { body, headers: sent, statusCode: status } = await app.inject({ method, url, headers, payload });
    return { body, status, location: sent.location, cookies: [sent["set-cookie"] ?? []].flat() };
  });
});

test("the README logs in with Express", async (t) => {
  const { server } = await run("express.mjs", section("README.md", "Express"));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  if (!server.listening) await once(server, "listening");
  const origin = `http://localhost:${server.address().port}`;
  await logIn(async ({ url, headers, payload: body }) => {
    const method = body === undefined ? "GET" : "POST";
    const answer = await fetch(origin + url, { method, headers, body, redirect: "manual" });
    const { headers: sent, status } = answer;
    return { body: await answer.text(), status, location: sent.get("location"), cookies: sent.getSetCookie() };
  });
});

/** What the sites of the README do, whatever they are made with. */
async function logIn(ask) {
  const started = await ask(form("/", { email: "Alice@Example.com" }, FROM_HERE));
  assert.equal(started.status, 303);
  const id_token = broker.mint({ url: started.location });
  const headers = { cookie: cookiesOf(started) };
  const done = await ask(form("/verify", { id_token, state: "" }, headers));
  assert.deepEqual([done.status, done.location], [303, "/"]);

  const cookie = cookiesOf(done);
  assert.match((await ask({ url: "/", headers: { cookie } })).body, /You are alice@example\.com/);
  const tampered = cookie.replace("alice", "bob");
  assert.doesNotMatch((await ask({ url: "/", headers: { cookie: tampered } })).body, /You are/);

  // In another browser, which posts it again with cookies of its own.
  const again = await ask(form("/verify", { id_token, portier_again: "1" }));
  assert.equal(again.status, 400);
  assert.doesNotMatch(cookiesOf(again), /email/);
  assert.match(again.body, /This sign-in is over/);
  assert.equal((await ask(form("/", { email: "nobody" }, FROM_HERE))).status, 400);
  const foreign = await ask(form("/", { email: "alice@example.com" }, FROM_ELSEWHERE));
  assert.equal(foreign.status, 403);
}

function cookiesOf({ cookies }) {
  return cookies.map((line) => line.split(";")[0]).join("; ");
}

test("the README logs in with any Node server", async () => {
  const { start, finish } = await run("any.mjs", section("README.md", "Any Node server"));
  const url = await start("Alice@Example.com");
  const email = await finish({ id_token: broker.mint({ url }), state: "" });
  assert.equal(email, "alice@example.com");
});

test("web_03 the site of the manual begins a new session at a login", async (t) => {
  const page = section("docs/security.md", "Sessions");
  const { site } = await run("sessions.mjs", page.replace("https://example.com", "http://localhost"));
  site.get("/", ({ session }, response) => response.send(session.email ?? "nobody"));
  const server = site.listen(0, "localhost");
  t.after(() => server.close());
  await once(server, "listening");
  const ask = (path, cookie, fields) =>
    fetch(`http://localhost:${server.address().port}${path}`, {
      method: fields === undefined ? "GET" : "POST",
      headers: { cookie, connection: "close", ...FROM_HERE },
      body: fields && new URLSearchParams(fields),
      redirect: "manual",
    });
  const sessions = [];
  let jar = "";
  for (const name of ["alice", "bob"]) {
    const started = await ask("/login", jar, { email: `${name}@example.com` });
    const id_token = broker.mint({ url: started.headers.get("location") });
    const done = await ask("/verify", `${jar}; ${started.headers.getSetCookie()[0].split(";")[0]}`, { id_token });
    assert.equal(done.status, 303);
    [jar] = done.headers.getSetCookie().map((line) => line.split(";")[0]);
    sessions.push(jar);
  }
  const people = await Promise.all(sessions.map(async (cookie) => (await ask("/", cookie)).text()));
  assert.deepEqual(people, ["nobody", "bob@example.com"]);
});

test("the manual binds a login to its browser by hand", async () => {
  const page = section("docs/getting-started-node.md", "Binding a login to a browser");
  const { secretOf, begin, finish } = await run("binding.mjs", page);
  const client = new portier.PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
  const [desk, phone] = [secretOf(undefined), secretOf("x")];
  assert.equal(secretOf(desk), desk);
  const form = { id_token: broker.mint({ url: await begin(client, "alice@example.com", desk) }) };
  const asked = await finish(client, form, phone);
  assert.match(asked, /^ask: sign in as alice@example\.com here\?/);
  const confirmation = asked.split("confirmation=")[1];
  assert.equal((await finish(client, { ...form, confirmation }, phone)).email, "alice@example.com");
  assert.equal(await finish(client, form, desk), "redirect: signed in before");
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

test("every class of errors is in the README", () => {
  const classes = read("docs/errors.md").matchAll(/^## `(\w+)`/gm);
  for (const [, name] of classes) {
    assert.ok(portier[name].prototype instanceof portier.PortierError, name);
    assert.match(read("README.md"), new RegExp(`^\\| \`${name}\` \\|`, "m"));
  }
});

function inFolder(folder) {
  const names = readdirSync(path.join(ROOT, folder)).filter((name) => name.endsWith(".md")).sort();
  return names.map((name) => path.posix.join(folder, name));
}

function read(page) {
  return readFileSync(path.join(ROOT, page), "utf8");
}

/** The ```js and ```mjs blocks of a text; each is a module of its own. */
function examples(text) {
  return [...text.matchAll(/^```m?js\n(.*?)^```$/gms)].map(([, code]) => code);
}

function section(page, title) {
  const text = read(page).split("\n## ").find((text) => text.startsWith(`${title}\n`));
  return examples(text)[0];
}

/** Runs an example; gives what it exports, and its `app` and `server` in any case. */
async function run(name, code) {
  const here = code
    .replaceAll('from "portier-client"', `from ${JSON.stringify(local)}`)
    .replaceAll(/port: \d+/g, "port: 0")
    .replaceAll(/listen\(\d+/g, "listen(0");
  const names = [...here.matchAll(/^const (app|server) = /gm)].map(([, name]) => name);
  const exported = names.length > 0 ? `\nexport { ${names.join(", ")} };` : "";
  return import(write(name, here + exported));
}

function write(name, text) {
  const file = path.join(workshop, name);
  writeFileSync(file, text);
  return pathToFileURL(file).href;
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
