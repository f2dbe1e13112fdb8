// What the example sites refuse, and how they say so.
import assert from "node:assert/strict";
import { test } from "node:test";

import { DevBroker, ManualClock, CannedTransport, cannedClient } from "portier-client/testing";

import { assertPage, clientOf, eachSite, serve, walk } from "./sites.mjs";
import { Visitor } from "./visitor.mjs";

const OVER = "This sign-in is over";
const FAILED = "Sign-in did not work";

const FORGERIES = {
  nonce: [{ nonce: "A".repeat(32) }, OVER],
  expired: [{ claims: { iat: 1, exp: 2 } }, OVER],
  audience: [{ claims: { aud: "https://other.example" } }, FAILED],
  issuer: [{ claims: { iss: "https://other.example" } }, FAILED],
  signature: [{ claims: { email: "mallory@example.com" }, key: "stranger" }, FAILED],
  algorithm: [{ header: { alg: "none" } }, FAILED],
};

eachSite((here) => {
  test("a replayed callback is refused", async () => {
    const visitor = new Visitor();
    const callback = await walk(visitor, here.site);
    assert.equal((await visitor.submit(callback)).status, 200);
    visitor.cookies.clear();
    assertPage(await visitor.submit(callback), 400, OVER);
    assert.equal(visitor.cookie("session"), undefined);
  });

  test("a cancelled login is no login", async () => {
    const visitor = new Visitor();
    const login = await visitor.get(`${here.site.origin}/login`);
    const asked = await visitor.submit(login, "/login", { email: "alice@example.com" });
    const refusal = await visitor.submit(asked, "", { answer: "cancel" });
    assertPage(await visitor.submit(refusal), 403, "Sign-in cancelled");
    assert.doesNotMatch((await visitor.get(`${here.site.origin}/`)).text, /alice@example\.com/);
  });

  for (const [what, [changes, words]] of Object.entries(FORGERIES)) {
    test(`a forged token is refused: ${what}`, async () => {
      const visitor = new Visitor();
      const login = await visitor.get(`${here.site.origin}/login`);
      const typed = { email: "alice@example.com" };
      const start = await visitor.submit(login, "/login", typed, { follow: false });
      const token = here.broker.mint({ url: start.headers.location, ...changes });
      assertPage(await visitor.post(verify(), { id_token: token }), 400, words);
      assert.doesNotMatch((await visitor.get(`${here.site.origin}/`)).text, /Sign out/);
    });
  }

  test("junk is refused", async () => {
    for (const token of ["", "x", "a.b.c", "\0", "é".repeat(100), "a".repeat(20_000)]) {
      const refused = await new Visitor().post(verify(), { id_token: token, state: "" });
      assertPage(refused, 400, FAILED);
    }
  });

  test("repeated fields are refused", async () => {
    const visitor = new Visitor();
    const { fields } = (await walk(visitor, here.site)).form("");
    const twice = [...Object.entries(fields), ["id_token", fields.id_token]];
    assertPage(await visitor.post(verify(), twice), 400, FAILED);
    assert.equal((await visitor.post(verify(), fields)).status, 200, "nothing was consumed");
  });

  test("a wrong state changes nothing", async () => {
    const visitor = new Visitor();
    const callback = await walk(visitor, here.site);
    assert.equal((await visitor.submit(callback, "", { state: "forged" })).status, 200);
  });

  test("the callback takes forms only", async () => {
    const visitor = new Visitor();
    assertPage(await visitor.request("POST", verify()), 415, FAILED);
    const { fields } = (await walk(visitor, here.site)).form("");
    for (const type of ["application/json", "text/plain", "multipart/form-data; boundary=x"]) {
      const body = type === "application/json" ? JSON.stringify(fields) : new URLSearchParams(fields);
      const headers = { "Content-Type": type };
      const refused = await visitor.request("POST", verify(), { headers, body: String(body) });
      assert.equal(refused.status, 415, type);
    }
    assert.equal((await visitor.post(verify(), fields)).status, 200, "nothing was consumed");
  });

  test("a form is bounded", async () => {
    for (const page of ["/verify", "/login"]) {
      const large = { id_token: "a".repeat(70_000) };
      const words = page === "/login" ? "go back" : "was too large";
      assertPage(await new Visitor().post(`${here.site.origin}${page}`, large), 413, words);
    }
  });

  test("web_23 only a post completes a login", async () => {
    const visitor = new Visitor();
    const callback = await walk(visitor, here.site);
    const url = `${verify()}?${new URLSearchParams(callback.form("").fields)}`;
    for (const method of ["GET", "HEAD"]) {
      const refused = await visitor.request(method, url);
      assert.equal(refused.status, 405);
      assert.equal(refused.headers.allow, "POST");
    }
    // The check of the form comes before the method's absence is noticed.
    for (const method of ["PUT", "DELETE", "PATCH"]) {
      assert.equal((await visitor.request(method, url)).status, 403);
    }
    assert.equal((await visitor.submit(callback)).status, 200, "nothing was consumed");
  });

  test("web_05 no other page takes a post from elsewhere", async () => {
    const visitor = new Visitor();
    await visitor.submit(await walk(visitor, here.site));
    const lookalikes = ["/verify/", "/Verify", "//verify", "/verify;x", "/verify%2f"];
    for (const page of ["/", "/login", "/logout", "/members", "/no/such/page", ...lookalikes]) {
      const refused = await visitor.post(`${here.site.origin}${page}`, { email: "a@example.com" });
      assertPage(refused, 403, "out of date");
    }
    const index = await visitor.get(`${here.site.origin}/`);
    assert.match(index.text, /alice@example\.com/, "still signed in");
  });

  test("a form with another token is refused", async () => {
    const visitor = new Visitor();
    const greeting = await visitor.submit(await walk(visitor, here.site));
    const other = await new Visitor().get(`${here.site.origin}/login`);
    const { token } = other.form("/login").fields;
    for (const forged of ["", "x", token, `${greeting.form("/logout").fields.token}x`]) {
      const refused = await visitor.submit(greeting, "/logout", { token: forged });
      assertPage(refused, 403, "out of date");
      assert.match(refused.text, /Sign out/, "still signed in");
    }
  });

  test("web_20 a cookie that this site did not sign is nobody's", async () => {
    const visitor = new Visitor();
    await visitor.submit(await walk(visitor, here.site));
    const signed = visitor.cookie("session").value;
    const forged = encodeURIComponent(JSON.stringify({ email: "m@example.com", since: Date.now() }));
    for (const value of [forged, `s%3A${forged}`, `j%3A${forged}`, `${signed}x`, signed.slice(1), "%"]) {
      visitor.cookie("session").value = value;
      const index = await visitor.get(`${here.site.origin}/`);
      assert.equal(index.status, 200);
      assert.doesNotMatch(index.text, /Sign out/);
    }
  });

  test("a page that is not there has the looks of the site", async () => {
    assertPage(await new Visitor().get(`${here.site.origin}/no/such/page`), 404, "go back");
    const status = { fastify: 400, express: 404 }[here.name];
    assertPage(await new Visitor().get(`${here.site.origin}/%ff`), status, "go back");
  });

  test("an impossible address is asked for again", async () => {
    const visitor = new Visitor();
    const login = await visitor.get(`${here.site.origin}/login?next=/members`);
    for (const email of ["", "nobody", "a@b@c.example", "a b@example.com"]) {
      const again = await visitor.submit(login, "/login", { email });
      assertPage(again, 400, "does not look like an e-mail address");
      assert.equal(again.form("/login").fields.email, email);
      assert.equal(again.form("/login").fields.next, "/members");
    }
  });

  for (const text of ["<script>alert(1)</script>", "\"><img src=x>'&", "\u202eevil"]) {
    test(`web_12 markup is not taken over: ${JSON.stringify(text)}`, async () => {
      const visitor = new Visitor();
      const login = await visitor.get(`${here.site.origin}/login`);
      const again = await visitor.submit(login, "/login", { email: text, next: text });
      assert.equal(again.form("/login").fields.email, text);
      assert.equal(again.form("/login").fields.next, text);
      assert.doesNotMatch(again.text, /<script|<img src=x/);
      for (const fields of [{ error: text }, { error: "server_error", error_description: text }]) {
        const answer = await visitor.post(verify(), fields);
        assertPage(answer, 400, FAILED);
        assert.ok(!answer.text.includes(text));
      }
    });
  }

  test("web_12 an address with markup is shown as text", async () => {
    const visitor = new Visitor();
    const callback = await walk(visitor, here.site, { email: '"<b>&amp;"@example.com' });
    const greeting = await visitor.submit(callback);
    assert.equal(greeting.status, 200);
    assert.match(greeting.text, /&#34;&#60;b&#62;&#38;amp;&#34;@example\.com/);
    assert.doesNotMatch(greeting.text, /<b>/);
  });

  test("an expired session is refused", async (t) => {
    const clock = new ManualClock(1_750_000_000_000);
    const broker = new DevBroker({ clock });
    t.after(() => broker.stop());
    const transport = await documentsOf(broker);
    const site = await serve(here.name, (origin) =>
      cannedClient({ redirectUri: `${origin}/verify`, broker: broker.origin, clock, transport }),
    );
    t.after(() => site.stop());
    const visitor = new Visitor();
    const callback = await walk(visitor, site);
    clock.advance(30 * 60 * 1000 + 1000);
    assertPage(await visitor.submit(callback), 400, OVER);
  });

  test("a broker that is down is said to be", async (t) => {
    const printed = t.mock.method(console, "error", () => {});
    const broker = new DevBroker();
    const site = await serve(here.name, clientOf(broker.origin));
    t.after(() => site.stop());
    broker.stop();
    const visitor = new Visitor();
    const login = await visitor.get(`${site.origin}/login`);
    const down = await visitor.submit(login, "/login", { email: "alice@example.com" });
    assertPage(down, 503, "does not answer");
    assert.ok(Number(down.headers["retry-after"]) > 0);
    assert.equal(printed.mock.calls[0].arguments[0].code, "broker_unreachable");
  });

  function verify() {
    return `${here.site.origin}/verify`;
  }
});

async function documentsOf(broker) {
  const transport = new CannedTransport();
  for (const page of ["/.well-known/openid-configuration", "/keys.json"]) {
    const url = `${broker.origin}${page}`;
    transport.respond(url, (await new Visitor().get(url)).text);
  }
  return transport;
}
