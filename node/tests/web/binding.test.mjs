// The pages between a login's answer and its end, in each framework: fields, headers, cookies, hooks.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";

import fastifyCookie from "@fastify/cookie";

import { eachKind } from "./plain.mjs";
import { Visitor } from "./visitor.mjs";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const ODD = "\"><script>'&";
const HTTPS = { client: { redirectUri: "https://example.com/verify" } };

eachKind((here) => {
  test("the answer is posted again before anybody looks at it", async (t) => {
    const site = await here.serve(t);
    const form = { ...(await site.answer(new Visitor())), state: ODD };
    const visitor = new Visitor();
    const forged = { ...form, error_description: "x", other: "y", portier_confirmation: "z" };
    const page = await visitor.post(site.verify, forged, { goesOn: false });
    assert.deepEqual([page.status, visitor.cookies.size, page.headers["set-cookie"]], [200, 0, undefined]);
    assert.deepEqual(page.form("").fields, { ...form, error_description: "x", portier_again: "1" });
    assert.ok(!page.text.includes(ODD));
    assertAllowsItsOwn(page, "form-action 'self' https:;");
  });

  test("the question names the person and allows its own script only", async (t) => {
    const options = { loginUrl: `/in?${ODD}`, allowedHosts: ["shop.example.com"] };
    const site = await here.serve(t, options);
    const form = await site.answer(new Visitor(), { email: '"<b>&"@example.com' });
    const page = await site.finish(new Visitor(), { ...form, error_description: "x" });
    assert.equal(page.status, 200);
    const name = "&#34;&#60;b&#62;&#38;&#34;@example.com";
    assert.ok(page.text.includes(`<h1>Sign in as ${name} on this device?</h1>`));
    const cancel = '<a class="quiet" href="/in?&#34;&#62;&#60;script&#62;&#39;&#38;">No, cancel</a>';
    assert.ok(page.text.includes(cancel));
    const { portier_confirmation: confirmation, ...fields } = page.form("").fields;
    assert.match(confirmation, /^[\w-]{43}$/);
    assert.deepEqual(fields, { ...form, portier_again: "1" });
    assertAllowsItsOwn(page, "form-action 'self' https:;");
  });

  test("the questions of the examples wait as that of the library does", async (t) => {
    const site = await here.serve(t);
    const { text } = await site.finish(new Visitor(), await site.answer(new Visitor()));
    const [, script] = /<script>\n(.*?)<\/script>/s.exec(text);
    for (const example of [["node", "examples", "shared"], ["python", "examples", "tornado", "static"]]) {
      const theirs = readFileSync(path.join(ROOT, ...example, "once.js"), "utf8");
      const code = theirs.replaceAll(/^\/\/.*\n/gm, "").replace('querySelector("form.confirm")', "forms[0]");
      assert.equal(code, script);
    }
  });

  test("a login leads on from the question", async (t) => {
    const site = await here.serve(t);
    const phone = new Visitor();
    const asked = await site.finish(phone, await site.answer(new Visitor(), { next: "/members" }));
    const { fields } = asked.form("");
    const twice = [...Object.entries(fields), ["portier_confirmation", fields.portier_confirmation]];
    const again = await phone.post(site.verify, twice, { origin: site.origin, follow: false });
    assert.match(again.text, /on this device/, "which of the two?");
    const done = await phone.post(site.verify, fields, { origin: site.origin, follow: false });
    assert.deepEqual([done.status, done.headers.location], [303, "/members"]);
    assert.deepEqual(site.logins.map(({ email, sameBrowser }) => [email, sameBrowser]), [["alice@example.com", false]]);
  });

  test("a login in its own browser is known as one", async (t) => {
    const site = await here.serve(t);
    assert.equal((await site.logIn()).status, 303);
    assert.deepEqual(site.logins.map(({ sameBrowser }) => sameBrowser), [true]);
  });

  test("web_20 another site replaces no cookie", async (t) => {
    const site = await here.serve(t);
    const form = await site.answer(new Visitor());
    const body = String(new URLSearchParams({ ...form, portier_again: "1" }));
    for (const [said, again] of [["cross-site", true], ["same-site", true], ["same-origin", false], ["none", false], [undefined, false]]) {
      const headers = { "Content-Type": "application/x-www-form-urlencoded", ...(said && { "Sec-Fetch-Site": said }) };
      const page = await new Visitor().request("POST", site.verify, { headers, body });
      assert.equal(page.postsAgain, again, said);
      assert.equal(page.headers["set-cookie"] === undefined, again, said);
    }
    assert.deepEqual(site.logins, []);
  });

  test("fields that come twice are posted twice", async (t) => {
    const site = await here.serve(t);
    const pairs = [["id_token", "a"], ["id_token", "b"], ["state", "\ufffd"]];
    const page = await new Visitor().post(site.verify, pairs, { goesOn: false });
    assert.deepEqual(page.form("").pairs, [...pairs, ["portier_again", "1"]]);
    const refused = await new Visitor().post(site.verify, pairs);
    assert.equal(refused.status, 400);
  });

  test("web_19 the cookie of an https site is of this host only", async (t) => {
    const site = await here.serve(t, {}, HTTPS);
    const visitor = new Visitor();
    // Any host of the domain can set a cookie of this name, and none can of the other.
    const tossed = { value: "A".repeat(43), flags: "" };
    visitor.cookies.set("localhost", new Map([["portier", tossed]]));
    const form = await site.answer(visitor);
    const { flags, value } = visitor.cookie("__Host-portier");
    assert.match(value, /^[\w-]{43}$/);
    assert.notEqual(value, tossed.value);
    assert.equal(flags, "; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax; Secure");
    const stranger = new Visitor();
    stranger.cookies.set("localhost", new Map([["portier", { value, flags: "" }]]));
    const page = await stranger.post(site.verify, form, { origin: site.origin, goesOn: false });
    assert.ok(page.postsAgain);
    assert.equal((await site.finish(visitor, form)).status, 303);
  });

  test("web_19 a name that only looks like ours is another cookie", async (t) => {
    // Any host of the domain can set it, and JavaScript trims its name to the one without a space.
    const site = await here.serve(t, {}, HTTPS);
    const tossed = `__Host-portier=${"B".repeat(43)}`;
    for (const space of ["\u00a0", "\u0085", "\u00a0\u0085"]) {
      const visitor = new Visitor();
      const form = await site.answer(visitor);
      const own = `__Host-portier=${visitor.cookie("__Host-portier").value}`;
      const post = (cookie) => {
        visitor.headers.Cookie = cookie;
        return visitor.post(site.verify, form, { origin: site.origin, goesOn: false, follow: false });
      };
      assert.ok((await post(space + tossed)).postsAgain);
      assert.ok((await post(`${own}; ${tossed}`)).postsAgain, "which of the two?");
      assert.equal((await post(`${own}; ${space}${tossed}`)).status, 303);
      assert.equal((await post(`${space}${tossed};\t${own} `)).status, 303, "completed before");
    }
  });

  test("the cookies of the site stay as they are", async (t) => {
    const isExpress = here.kind.startsWith("express");
    const site = await here.serve(
      t,
      {
        onLogin(login, request, response) {
          if (isExpress) response.cookie("email", login.email, { path: "/" });
          else response.setCookie("email", login.email, { path: "/" });
        },
      },
      {
        async first(app) {
          if (!isExpress) return app.register(fastifyCookie);
          app.use((request, response, next) => {
            response.cookie("seen", "1");
            next();
          });
        },
      },
    );
    const visitor = new Visitor();
    const names = (page) => (page.headers["set-cookie"] ?? []).map((line) => line.split("=")[0]).toSorted();
    const started = await site.start(visitor);
    assert.deepEqual(names(started), isExpress ? ["portier", "seen"] : ["portier"]);
    // A browser that has no secret gets one with the question, and the person's cookie after it.
    const phone = new Visitor();
    const asked = await site.finish(phone, await site.answer(visitor));
    assert.deepEqual(names(asked), isExpress ? ["portier", "seen"] : ["portier"]);
    const done = await phone.post(site.verify, asked.form("").fields, { origin: site.origin, follow: false });
    assert.deepEqual(names(done), isExpress ? ["email", "seen"] : ["email"]);
  });

  test("a site may ask in its own words", async (t) => {
    const seen = [];
    const showConfirmation = async (question) => {
      seen.push(question);
      return `<h1>${question.email}?</h1>`;
    };
    const site = await here.serve(t, { showConfirmation });
    const page = await site.finish(new Visitor(), await site.answer(new Visitor()));
    assert.deepEqual([page.status, page.text], [200, "<h1>alice@example.com?</h1>"]);
    assert.match(page.headers["content-type"], /^text\/html/);
    assert.equal(page.headers["x-frame-options"], "DENY");
    assert.equal(page.headers["cache-control"], "no-store");
    assert.doesNotMatch(inspect(seen), /alice/);
  });

  test("a site may answer in place of a question", async (t) => {
    const showConfirmation = (question, request, response) => response.status(418).send("no");
    const site = await here.serve(t, { showConfirmation });
    const page = await site.finish(new Visitor(), await site.answer(new Visitor()));
    assert.deepEqual([page.status, page.text], [418, "no"]);
  });

  test("web_01 a site may require the browser that began", async (t) => {
    const site = await here.serve(t, { browserBinding: "require" });
    const desk = new Visitor();
    const form = await site.answer(desk);
    const refused = await site.finish(new Visitor(), form);
    assert.equal(refused.status, 400);
    assert.match(refused.text, /Finish where you began/);
    assert.equal(refused.headers["cache-control"], "no-store");
    assert.ok(!refused.text.includes("<form"));
    assert.equal((await site.finish(desk, form)).status, 303);
  });

  test("web_01 a site that requires the browser takes no consent", async (t) => {
    // Such as one from the time before it did: the two share their client, and so its logins.
    const asking = await here.serve(t);
    const phone = new Visitor();
    const desk = new Visitor();
    const form = await asking.answer(desk);
    const consent = (await asking.finish(phone, form)).form("").fields;
    const site = await here.serve(t, { client: asking.client, browserBinding: "require" });
    const refused = await phone.post(site.verify, consent, { origin: site.origin });
    assert.equal(refused.status, 400);
    assert.match(refused.text, /Finish where you began/);
    assert.equal((await asking.finish(desk, form)).status, 303);
  });

  const STOLEN = { off: [303, ""], confirm: [200, "on this device?"], require: [400, "Finish where you began"] };
  for (const [browserBinding, [status, words]] of Object.entries(STOLEN)) {
    test(`web_02 what a thief of a fresh answer gets: ${browserBinding}`, async (t) => {
      const site = await here.serve(t, { browserBinding });
      const person = new Visitor();
      const thief = new Visitor();
      const stolen = await site.answer(person);
      let page = await site.finish(thief, stolen);
      assert.equal(page.status, status);
      assert.ok(page.text.includes(words));
      if (browserBinding === "confirm") {
        // In his own browser he can say yes for himself: he could as well have read the mail.
        page = await thief.post(site.verify, page.form("").fields, { origin: site.origin, follow: false });
      }
      assert.equal(page.status === 303, browserBinding !== "require");
      assert.equal(site.logins.length, browserBinding === "require" ? 0 : 1);
      await site.finish(person, stolen);
      assert.equal(site.logins.length, 1);
    });
  }

  test("a site may leave logins unbound", async (t) => {
    const site = await here.serve(t, { browserBinding: "off" });
    const desk = new Visitor();
    const form = await site.answer(desk);
    assert.equal(desk.cookies.size, 0);
    const phone = new Visitor();
    const done = await phone.post(site.verify, form, { goesOn: false, follow: false });
    assert.equal(done.status, 303);
    assert.equal(phone.cookies.size, 0);
    assert.equal((await site.finish(phone, form)).status, 400);
  });

  test("web_22 a login that this browser has completed leads on", async (t) => {
    const failed = [];
    const site = await here.serve(t, { defaultNext: "/home", onLoginError: (error) => void failed.push(error.code) });
    const visitor = new Visitor();
    const form = await site.answer(visitor, { next: "/members" });
    const places = [];
    for (let times = 0; times < 3; times++) places.push((await site.finish(visitor, form)).headers.location);
    assert.deepEqual(places, ["/members", "/home", "/home"]);
    assert.equal(site.logins.length, 1);
    assert.deepEqual(failed, []);
    assert.equal((await site.finish(new Visitor(), form)).status, 400);
    assert.deepEqual(failed, ["session_used"]);
  });

  test("web_26 a fragment leads on to wherever the site does", async (t) => {
    const details = { client: { responseMode: "fragment" } };
    const site = await here.serve(t, {}, details);
    const { headers } = await new Visitor().get(site.verify);
    assert.match(headers["content-security-policy"], /form-action 'self' https:;/);
  });
});

/** A page of ours runs its own script and style, and nothing else. */
function assertAllowsItsOwn({ headers, text }, formAction) {
  const [, style] = /<style>(.*?)<\/style>/s.exec(text);
  const [, script] = /<script>(.*?)<\/script>/s.exec(text);
  const hash = (part) => `'sha256-${createHash("sha256").update(part).digest("base64")}'`;
  const policy = headers["content-security-policy"];
  const start = `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; base-uri 'none'; `;
  assert.ok(policy.startsWith(start), policy);
  assert.ok(policy.includes(formAction), policy);
}
