// `login` at a site in every form in which a test has it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, get as httpGet } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { text } from "node:stream/consumers";

import { DevBroker, login, TestSession } from "portier-client/testing";
import { portier } from "portier-client/web";

import { clientOf, SITES } from "./sites.mjs";

const broker = new DevBroker();
after(() => broker.stop());

const FLOWS = { "code flow": {}, "implicit flow": { flow: "implicit" } };

for (const [flow, options] of Object.entries(FLOWS)) {
  describe(flow, { timeout: 60_000 }, () => {
    for (const [kind, make] of Object.entries(SITES)) {
      test(`it logs in at ${kind}`, async (t) => {
        const app = await make(clientOf(broker), options);
        t.after(() => app.close?.());
        const session = await login(app, "Alice@Example.com", { next: "/members" });
        assert.equal(session.response.url, "https://example.com/members");
        assert.equal(session.response.status, 200);
        assert.equal(session.response.text, "for alice@example.com");
        assert.equal((await session.get("/members")).text, "for alice@example.com");
        assert.equal((await new TestSession(app).get("/members")).status, 303, "another browser is not signed in");
        assert.match(session.cookie, /__Host-portier-session=/);
      });
    }
  });
}

test("it logs in at the address of a site", async (t) => {
  const { app, origin } = await listening(t);
  for (const address of [origin, new URL("/anything", origin)]) {
    const session = await login(address, "alice@example.com", { next: "/members" });
    assert.equal(session.response.text, "for alice@example.com");
    const cookies = { headers: { cookie: session.cookie } };
    const [response] = await once(httpGet(`${origin}/members`, cookies), "response");
    assert.equal(await text(response), "for alice@example.com");
    // `fetch` counts as a script, so that it would get JSON instead of a redirect.
    assert.equal(await (await fetch(`${origin}/members`, cookies)).text(), "for alice@example.com");
  }
  assert.equal((await login(app, "alice@example.com", { next: "/members" })).response.text, "for alice@example.com");
});

test("it logs in at a server with TLS, and at one that listens on a socket of the file system", async (t) => {
  const tls = (name) => readFileSync(path.join(import.meta.dirname, "../client/tls", name));
  const listener = SITES["a handler of node:http"](clientOf(broker));
  const folder = mkdtempSync(path.join(tmpdir(), "portier-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const secure = createSecureServer({ cert: tls("server.pem"), key: tls("server-key.pem") }, listener);
  for (const [server, place] of [
    [secure, { port: 0, host: "127.0.0.1" }],
    [createServer(listener), { path: path.join(folder, "socket") }],
  ]) {
    server.listen(place);
    await once(server, "listening");
    t.after(() => server.close());
    const { response } = await login(server, "alice@example.com", { next: "/members" });
    assert.equal(response.text, "for alice@example.com");
  }
});

test("the function of portier-client/web is a handler of fetch", async () => {
  const { handle, session } = portier({ client: clientOf(broker), secret: "o9Xz-Q3kPw7_uJ2rT5yB8nV1cM4sD6fG" });
  const { cookie } = await login(handle, "alice@example.com");
  const { email } = await session(new Request("https://example.com/", { headers: { cookie } }));
  assert.equal(email, "alice@example.com");
});

test("a test may give the site's client another broker", async () => {
  const client = clientOf({ origin: undefined });
  assert.equal(client.broker, "https://broker.portier.io");
  const app = SITES["a site of Express"](client);
  client.broker = broker.origin;
  assert.equal((await login(app, "alice@example.com", { next: "/members" })).response.text, "for alice@example.com");
});

test("people log in at the same time", async () => {
  const app = SITES["a site of Hono"](clientOf(broker));
  const names = ["alice", "bob", "carol", "dave"];
  const sessions = await Promise.all(names.map((name) => login(app, `${name}@example.com`, { next: "/members" })));
  assert.deepEqual(sessions.map(({ response }) => response.text), names.map((name) => `for ${name}@example.com`));
});

test("the response mode fragment works", async () => {
  const app = SITES["a handler of fetch"](clientOf(broker, { responseMode: "fragment" }), { flow: "implicit" });
  const { response } = await login(app, "alice@example.com", { next: "/members" });
  assert.equal(response.text, "for alice@example.com");
});

for (const mode of ["accept", "mail"]) {
  test(`the mode of the broker may be ${mode}`, async (t) => {
    const own = new DevBroker({ mode });
    t.after(() => own.stop());
    for (const options of Object.values(FLOWS)) {
      const app = SITES["a handler of fetch"](clientOf(own), options);
      const { response } = await login(app, "alice@example.com", { next: "/members" });
      assert.equal(response.text, "for alice@example.com");
    }
  });
}

test("accounts and scripts of the broker have an effect", async (t) => {
  t.after(() => broker.reset());
  const app = SITES["a handler of fetch"](clientOf(broker));
  broker.setAccount("*@blocked.example", "refuse");
  await assert.rejects(login(app, "bob@blocked.example"), /problem cancelled/);
  broker.nextLogins("expired");
  await assert.rejects(login(app, "alice@example.com"), /problem over/);
  await login(app, "alice@example.com");
});

test("a login continues in the browser of an earlier one", async () => {
  const app = SITES["a site of Express"](clientOf(broker));
  const session = await login(app, "alice@example.com");
  assert.equal(await login(session, "bob@example.com", { next: "/members" }), session);
  assert.equal(session.response.text, "for bob@example.com");
  await session.post("/logout");
  assert.equal((await session.get("/members")).status, 303);
});

test("the cookies are those that Playwright takes", async () => {
  const session = await login(SITES["a handler of fetch"](clientOf(broker)), "alice@example.com");
  const cookie = session.cookies.find(({ name }) => name === "__Host-portier-session");
  const { value, expires, ...flags } = cookie;
  assert.deepEqual(flags, {
    name: "__Host-portier-session",
    domain: "example.com",
    path: "/",
    httpOnly: true,
    secure: true,
    sameSite: "Lax",
  });
  assert.ok(value.length > 0 && expires > Date.now() / 1000);
});

test("what is not a site is refused", () => {
  for (const app of [undefined, null, 1, {}, { get() {} }, Symbol("site")]) {
    assert.throws(() => new TestSession(app), /^TypeError: not a site: /, String(app));
  }
});

test("requests look like those of a browser behind a proxy", async () => {
  const seen = [];
  const handler = SITES["a handler of node:http"](clientOf(broker));
  const app = (request, response) => {
    seen.push([`${request.method} ${request.url.split("?")[0]}`, request.headers]);
    return handler(request, response);
  };
  await login(app, "alice@example.com", { next: "/members", origin: "https://example.com", headers: { "Accept-Language": "de" } });
  assert.deepEqual(seen.map(([line]) => line), ["GET /login", "POST /login", "GET /verify", "GET /members"]);
  const [[, page], [, form], [, callback], [, members]] = seen;
  for (const [, { host, "x-forwarded-proto": scheme, "accept-language": language }] of seen) {
    assert.deepEqual([host, scheme, language], ["example.com", "https", "de"]);
  }
  const provenance = (headers) => [headers["sec-fetch-site"], headers["sec-fetch-mode"], headers.origin, headers.referer];
  assert.deepEqual(provenance(page), ["none", "navigate", undefined, undefined]);
  assert.deepEqual(provenance(form), ["same-origin", "navigate", "https://example.com", "https://example.com/login"]);
  assert.deepEqual(provenance(callback), ["cross-site", "navigate", undefined, undefined]);
  assert.deepEqual(provenance(members), ["cross-site", "navigate", undefined, undefined]);
});

test("nothing stays open, also after a request that fails", async () => {
  const servers = () => process.getActiveResourcesInfo().filter((name) => name === "TCPServerWrap").length;
  const before = servers();
  const app = (request, response) => response.destroy();
  await assert.rejects(new TestSession(app).get("/"), { code: "ECONNRESET" });
  await login(SITES["a handler of node:http"](clientOf(broker)), "alice@example.com");
  assert.equal(servers(), before);
});

async function listening(t) {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const origin = `http://localhost:${server.address().port}`;
  server.on("request", SITES["a handler of node:http"](clientOf(broker, { redirectUri: `${origin}/verify` })));
  return { app: server, origin };
}
