// The example sites whose sessions are those of the login, as visitors meet them.
import assert from "node:assert/strict";
import { test } from "node:test";

import PortierClient from "portier-client";

import { assertPage, eachSite, goOn, logIn, SEALED_SITES, serve, walk } from "./sites.mjs";
import { Visitor } from "./visitor.mjs";

eachSite((here) => {
  test("a visitor logs in and out", async () => {
    const { site, broker } = here;
    const visitor = new Visitor();
    const index = await visitor.get(`${site.origin}/`);
    assert.doesNotMatch(index.text, /alice@example\.com/);
    const asked = await visitor.submit(index, "/login", { email: "Alice@Example.com" });
    assert.ok(asked.url.startsWith(`${broker.origin}/auth?`));
    const greeting = await goOn(visitor, asked);
    assert.equal(greeting.url, `${site.origin}/`);
    assert.match(greeting.text, /alice@example\.com/);
    assert.equal((await visitor.get(`${site.origin}/login?next=/members`)).url, `${site.origin}/members`);
    const goodbye = await visitor.submit(greeting, "/logout");
    assert.equal(goodbye.url, `${site.origin}/login`);
    assert.doesNotMatch(goodbye.text, /alice@example\.com/);
  });

  test("a login leads back to the page that needed it", async () => {
    const visitor = new Visitor();
    const login = await visitor.get(`${here.site.origin}/members`);
    assert.equal(login.url, `${here.site.origin}/login?next=%2Fmembers`);
    const members = await goOn(visitor, await visitor.submit(login, "/login", { email: "bob@example.com" }));
    assertPage(members, 200, "bob@example.com");
    assert.equal(members.url, `${here.site.origin}/members`);
  });

  test("with https the cookies have the __Host- prefix", async (t) => {
    const makeClient = () => new PortierClient({ redirectUri: "https://example.com/verify", broker: here.broker.origin });
    const site = await serve(here.name, makeClient);
    t.after(() => site.stop());
    const visitor = new Visitor();
    const form = { email: "alice@example.com" };
    const started = await visitor.post(`${site.origin}/login`, form, { follow: false, origin: "https://localhost" });
    assert.equal(started.status, 403, "from another origin");
    visitor.headers = { "Sec-Fetch-Site": "same-origin" };
    await visitor.post(`${site.origin}/login`, form, { follow: false, origin: site.origin });
    assert.deepEqual([...visitor.cookies.get("localhost").keys()], ["__Host-portier"]);
  });

  test("the login page may redirect its form to the broker", async () => {
    const { headers } = await new Visitor().get(`${here.site.origin}/login`);
    const policy = headers["content-security-policy"];
    assert.ok(policy.includes(`form-action 'self' ${here.broker.origin} https://accounts.google.com;`), policy);
    assert.match(policy, /frame-ancestors 'none'/);
  });

  test("an impossible address is asked for again", async () => {
    const visitor = new Visitor();
    const login = await visitor.get(`${here.site.origin}/login?next=/members`);
    for (const email of ["nobody", "a@b@c.example", "\"><img src=x>'&"]) {
      const again = await visitor.submit(login, "/login", { email });
      assertPage(again, 400, "does not look like an e-mail address");
      assert.deepEqual(again.form("/login").fields, { email, next: "/members" });
      assert.doesNotMatch(again.text, /<img src=x/);
    }
  });

  test("on another device the person is asked", async () => {
    const started = await walk(new Visitor(), here.site);
    const phone = new Visitor();
    const question = await goOn(phone, started);
    assertPage(question, 200, "on this device?");
    const done = await phone.submit(question);
    assert.match(done.text, /alice@example\.com/);
  });

  test("a cancelled login is explained", async () => {
    const visitor = new Visitor();
    const cancelled = await visitor.submit(await walk(visitor, here.site), "", { answer: "cancel" });
    assertPage(cancelled, 403, "Start again");
  });

  test("no form of another site has an effect", async () => {
    const visitor = new Visitor();
    await logIn(visitor, here.site);
    for (const [page, status] of [["/login", 403], ["/logout", 403], ["/members", 404], ["/", 404]]) {
      assertPage(await visitor.post(`${here.site.origin}${page}`, { email: "a@example.com" }), status, "");
    }
    assert.match((await visitor.get(`${here.site.origin}/`)).text, /alice@example\.com/, "still signed in");
  });

  test("a page that is not there has the looks of the site", async () => {
    for (const page of ["/no/such/page", "/%ff", "/verify/", "/Login"]) {
      assertPage(await new Visitor().get(here.site.origin + page), 404, "go back");
    }
  });

  test("the pages come with their looks", async () => {
    for (const name of ["site.css", "icon.svg", "once.js"]) {
      const file = await new Visitor().get(`${here.site.origin}/static/${name}`);
      assert.equal(file.status, 200);
      assert.equal(file.headers["set-cookie"], undefined);
    }
  });
}, SEALED_SITES);
