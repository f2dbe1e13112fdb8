// What the example sites refuse, and how they report that.
import assert from "node:assert/strict";
import { test } from "node:test";

import { assertPage, eachSite, logIn } from "./sites.mjs";
import { Visitor } from "./visitor.mjs";

eachSite((here) => {
  test("no other page accepts a cross-site post", async () => {
    const visitor = new Visitor();
    await logIn(visitor, here.site);
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
    const greeting = await logIn(visitor, here.site);
    const other = await new Visitor().get(`${here.site.origin}/login`);
    const { token } = other.form("/login").fields;
    for (const forged of ["", "x", token, `${greeting.form("/logout").fields.token}x`]) {
      const refused = await visitor.submit(greeting, "/logout", { token: forged });
      assertPage(refused, 403, "out of date");
      assert.match(refused.text, /Sign out/, "still signed in");
    }
  });

  test("a cookie with a wrong signature is ignored", async () => {
    const visitor = new Visitor();
    await logIn(visitor, here.site);
    const signed = visitor.cookie("session").value;
    const forged = encodeURIComponent(JSON.stringify({ email: "m@example.com", since: Date.now() }));
    for (const value of [forged, `s%3A${forged}`, `j%3A${forged}`, `${signed}x`, signed.slice(1), "%"]) {
      visitor.cookie("session").value = value;
      const index = await visitor.get(`${here.site.origin}/`);
      assert.equal(index.status, 200);
      assert.doesNotMatch(index.text, /Sign out/);
    }
  });

  test("a missing page is in the design of the site", async () => {
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
    test(`markup is escaped: ${JSON.stringify(text)}`, async () => {
      const visitor = new Visitor();
      const login = await visitor.get(`${here.site.origin}/login`);
      const again = await visitor.submit(login, "/login", { email: text, next: text });
      assert.equal(again.form("/login").fields.email, text);
      assert.equal(again.form("/login").fields.next, undefined);
      assert.doesNotMatch(again.text, /<script|<img src=x/);
    });
  }

  test("an address with markup is shown as text", async () => {
    const visitor = new Visitor();
    const greeting = await logIn(visitor, here.site, { email: '"<b>&amp;"@example.com' });
    assert.equal(greeting.status, 200);
    assert.match(greeting.text, /&#34;&#60;b&#62;&#38;amp;&#34;@example\.com/);
    assert.doesNotMatch(greeting.text, /<b>/);
  });
});
