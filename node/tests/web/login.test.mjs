// Logging in to the example sites, as a person does.
import assert from "node:assert/strict";
import { test } from "node:test";

import PortierClient from "portier-client";

import { beginSession, readSession } from "../../examples/shared/session.mjs";
import { eachSite, goOn, logIn, serve } from "./sites.mjs";
import { Visitor } from "./visitor.mjs";

eachSite((here) => {
  test("a visitor logs in and out", async () => {
    const { site, broker } = here;
    const visitor = new Visitor();
    const index = await visitor.get(`${site.origin}/`);
    assert.doesNotMatch(index.text, /alice@example\.com/);

    const asked = await visitor.submit(index, "/login", { email: "Alice@Example.com" });
    assert.ok(asked.url.startsWith(`${broker.origin}/auth?`));
    assert.ok(asked.text.includes(site.origin));
    assert.match(asked.text, /Alice@Example\.com/);

    const greeting = await goOn(visitor, asked);
    assert.equal(greeting.url, `${site.origin}/`);
    assert.match(greeting.text, /alice@example\.com/);

    const goodbye = await visitor.submit(greeting, "/logout");
    assert.equal(goodbye.url, `${site.origin}/`);
    assert.doesNotMatch(goodbye.text, /alice@example\.com/);
  });

  test("a login returns to the page that needed it", async () => {
    const visitor = new Visitor();
    const login = await visitor.get(`${here.site.origin}/members`);
    assert.equal(login.url, `${here.site.origin}/login?next=%2Fmembers`);
    const asked = await visitor.submit(login, "/login", { email: "bob@example.com" });
    const members = await goOn(visitor, asked);
    assert.equal(members.url, `${here.site.origin}/members`);
    assert.equal(members.status, 200);
    assert.match(members.text, /bob@example\.com/);
  });

  test("the session cookie survives the way back from the broker", async () => {
    const visitor = new Visitor();
    await logIn(visitor, here.site);
    const { flags } = visitor.cookie("session");
    assert.match(flags, /; SameSite=Lax/);
    assert.match(flags, /; HttpOnly/);
    assert.doesNotMatch(flags, /; Secure/, "plain http on this machine");
  });

  test("with https the cookie has the __Host- prefix", async (t) => {
    const site = await serve(here.name, () => {
      return new PortierClient({ redirectUri: "https://example.com/verify" });
    });
    t.after(() => site.stop());
    const visitor = new Visitor();
    await visitor.get(`${site.origin}/login`);
    assert.deepEqual([...visitor.cookies.get("localhost").keys()], ["__Host-session"]);
    const { flags } = visitor.cookie("__Host-session");
    assert.match(flags, /; Path=\/(;|$)/);
    assert.match(flags, /; Secure/);
    assert.doesNotMatch(flags, /Domain/);
  });

  test("the login page may redirect its form to the broker", async () => {
    const { headers } = await new Visitor().get(`${here.site.origin}/login`);
    const policy = headers["content-security-policy"];
    const targets = `'self' ${here.broker.origin} https://accounts.google.com`;
    assert.ok(policy.includes(`form-action ${targets};`), policy);
    assert.match(policy, /frame-ancestors 'none'/);
  });

  test("the Host header changes nothing", async () => {
    const { origin } = here.site;
    const visitor = new Visitor();
    const login = await visitor.get(`${origin.replace("localhost", "127.0.0.1")}/login`);
    const typed = { email: "bob@example.com" };
    const start = await visitor.submit(login, "/login", typed, { follow: false });
    const query = new URL(start.headers.location).searchParams;
    assert.equal(query.get("redirect_uri"), `${origin}/verify`);
    assert.equal(query.get("client_id"), origin);
  });

  test("a login replaces the earlier session", async () => {
    const visitor = new Visitor();
    const before = await visitor.get(`${here.site.origin}/`);
    const greeting = await logIn(visitor, here.site);
    const { token } = before.form("/login").fields;
    assert.notEqual(greeting.form("/logout").fields.token, token);
    assert.equal((await visitor.submit(before, "/login")).status, 403);
  });

  test("the pages have their styles and pictures", async () => {
    const types = { "site.css": /^text\/css; *charset=utf-8$/i, "icon.svg": /^image\/svg\+xml/, "once.js": /^text\/javascript; *charset=utf-8$/i };
    for (const [name, type] of Object.entries(types)) {
      const file = await new Visitor().get(`${here.site.origin}/static/${name}`);
      assert.equal(file.status, 200);
      assert.match(file.headers["content-type"], type);
      assert.equal(file.headers["set-cookie"], undefined);
    }
  });
});

test("a session ends after a month", () => {
  const session = beginSession("alice@example.com");
  const days = (count) => Date.now() - count * 24 * 60 * 60 * 1000;
  assert.ok(readSession(JSON.stringify({ ...session, since: days(29) })));
  assert.equal(readSession(JSON.stringify({ ...session, since: days(31) })), undefined);
});
