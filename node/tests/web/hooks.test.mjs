// What a site may say of its logins, and what it gets if it says nothing.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setImmediate as soon } from "node:timers/promises";

import session from "express-session";
import PortierClient, { AbstractStore, ConfigError, InvalidEmail, SessionUsed } from "portier-client";
import * as forExpress from "portier-client/express";
import * as forFastify from "portier-client/fastify";

import { eachKind } from "./plain.mjs";
import { Visitor } from "./visitor.mjs";

const VECTORS = path.resolve(import.meta.dirname, "../../../tests/vectors/next.json");
const { cases } = JSON.parse(readFileSync(VECTORS, "utf8"));
const redirectUri = "https://example.com/verify";

eachKind((here) => {
  test("a login needs no more than what to do with it", async (t) => {
    const site = await here.serve(t);
    const done = await site.logIn({ next: "/members" });
    assert.deepEqual([done.status, done.headers.location, done.text], [303, "/members", ""]);
    assert.equal(done.headers["cache-control"], "no-store");
    assert.equal(done.headers["content-type"], undefined);
    assert.equal(site.logins[0].email, "alice@example.com");
  });

  test("a login without a page to go back to leads where the site says", async (t) => {
    assert.equal((await (await here.serve(t)).logIn()).headers.location, "/");
    const site = await here.serve(t, { defaultNext: "/welcome" });
    assert.equal((await site.logIn()).headers.location, "/welcome");
    assert.equal((await site.logIn({ next: "//evil.example" })).headers.location, "/welcome");
  });

  test("web_04 a login leads to the hosts that the site allows", async (t) => {
    for (const { id, next, allowed_hosts: allowedHosts, expect } of cases) {
      if (allowedHosts === undefined) continue;
      const site = await here.serve(t, { allowedHosts });
      const done = await site.logIn({ next });
      assert.equal(done.headers.location, expect ?? "/", id);
    }
  });

  test("a page about a problem leads to the login form", async (t) => {
    const site = await here.serve(t, { loginUrl: '/sign-in?by="mail"' });
    const refused = await site.start(new Visitor(), { email: "nobody" });
    assert.equal(refused.status, 400);
    assert.match(refused.headers["content-type"], /^text\/html; *charset=utf-8$/i);
    assert.match(refused.text, /<h1>Check the address<\/h1>/);
    assert.ok(refused.text.includes('href="/sign-in?by=&#34;mail&#34;"'));
  });

  test("web_08 the pages load nothing and are framed by nobody", async (t) => {
    const site = await here.serve(t);
    const pages = [
      await site.start(new Visitor(), { email: "nobody" }),
      await new Visitor().get(site.verify),
      await new Visitor().post(site.verify, { error: "access_denied" }),
    ];
    for (const { headers } of pages) {
      assert.equal(headers["x-frame-options"], "DENY");
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["referrer-policy"], "no-referrer");
      assert.match(headers["content-security-policy"], /^default-src 'none'; style-src 'sha256-/);
      assert.match(headers["content-security-policy"], /frame-ancestors 'none'$/);
    }
    assert.deepEqual(pages.map(({ status }) => status), [400, 405, 403]);
  });

  test("an error comes to the site, which may answer it", async (t) => {
    const seen = [];
    const site = await here.serve(t, {
      async onLoginError(error, request, response) {
        seen.push(error);
        await soon();
        if (error instanceof InvalidEmail) response.status(422).send("again, please");
      },
    });
    const answered = await site.start(new Visitor(), { email: "nobody" });
    assert.deepEqual([answered.status, answered.text], [422, "again, please"]);
    const left = await site.finish(new Visitor(), { error: "access_denied" });
    assert.equal(left.status, 403);
    assert.match(left.text, /Sign-in cancelled/);
    assert.deepEqual(seen.map(({ code }) => code), ["invalid_email", "broker_error"]);
  });

  test("a page about a problem may have the looks of the site", async (t) => {
    const showProblem = async ({ status, title }) => `<h1>${status}: ${title}</h1>`;
    const site = await here.serve(t, { showProblem });
    const refused = await site.start(new Visitor(), { email: "nobody" });
    assert.deepEqual([refused.status, refused.text], [400, "<h1>400: Check the address</h1>"]);
    assert.match(refused.headers["content-type"], /^text\/html/);
    assert.equal(refused.headers["content-security-policy"], undefined);
    const large = await site.finish(new Visitor(), { id_token: "a".repeat(70_000) });
    assert.deepEqual([large.status, large.text], [413, "<h1>413: Sign-in did not work</h1>"]);
  });

  test("a page about a problem may be sent by the site", async (t) => {
    const showProblem = ({ title }, request, response) => response.send(title);
    const site = await here.serve(t, { showProblem });
    const refused = await site.start(new Visitor(), { email: "nobody" });
    assert.deepEqual([refused.status, refused.text], [400, "Check the address"]);
  });

  const SIGN_INS = {
    "nothing": () => undefined,
    "the response": (login, request, response) => response.header("x-site", "1"),
    "a promise of the response": async (login, request, response) => response.header("x-site", "1"),
  };
  for (const [what, onLogin] of Object.entries(SIGN_INS)) {
    test(`a site that signs in need not answer: it returns ${what}`, async (t) => {
      const site = await here.serve(t, { onLogin });
      const done = await site.logIn();
      assert.deepEqual([done.status, done.headers.location], [303, "/"]);
      assert.equal(done.headers["x-site"], what === "nothing" ? undefined : "1");
    });
  }

  const ANSWERS = {
    "at once": (login, request, response) => {
      response.status(201).send("welcome");
    },
    "and returns the response": (login, request, response) => response.status(201).send("welcome"),
    "after a while": async (login, request, response) => {
      await soon();
      return response.status(201).send("welcome");
    },
  };
  for (const [when, onLogin] of Object.entries(ANSWERS)) {
    test(`a site may answer a login itself ${when}`, async (t) => {
      const site = await here.serve(t, { onLogin }, { first: storeSessions });
      const done = await site.logIn();
      assert.deepEqual([done.status, done.text], [201, "welcome"]);
      assert.deepEqual(site.errors, []);
    });
  }

  test("a mistake of the site is for the site to answer", async (t) => {
    const mistake = new Error("mistake");
    for (const hook of ["onLogin", "onLoginError", "showProblem"]) {
      const wrong = { [hook]: () => Promise.reject(mistake) };
      const site = await here.serve(t, wrong);
      const answer = await (hook === "onLogin" ? site.logIn() : site.finish(new Visitor(), { error: "x" }));
      assert.deepEqual([answer.status, answer.text], [500, "a page of the site"], hook);
      assert.deepEqual(site.errors, [mistake]);
    }
    const site = await here.serve(t);
    site.client.destroy();
    assert.equal((await site.start(new Visitor())).text, "a page of the site");
  });

  test("a login that was used is told apart", async (t) => {
    const seen = [];
    const site = await here.serve(t, { onLoginError: (error) => void seen.push(error) });
    const visitor = new Visitor();
    const form = await site.answer(visitor);
    assert.equal((await site.finish(visitor, form)).status, 303);
    assert.equal((await site.finish(new Visitor(), form)).status, 400);
    assert.ok(seen[0] instanceof SessionUsed);
    assert.equal(site.logins.length, 1);
  });

  /** As sites do that keep sessions on their server: an answer leaves only once one is stored. */
  async function storeSessions(app) {
    if (here.kind.startsWith("express")) {
      app.use(session({ secret: "x", resave: true, saveUninitialized: true }));
    } else {
      app.addHook("onSend", async () => {
        await soon();
      });
    }
  }
});

const MISTAKES = {
  "no client": { client: undefined },
  "a client that is none": { client: {} },
  "no onLogin": { onLogin: undefined },
  "an onLogin that is none": { onLogin: "/members" },
  "an onLoginError that is none": { onLoginError: true },
  "a showProblem that is none": { showProblem: "<h1>" },
  "a showConfirmation that is none": { showConfirmation: "<h1>" },
  "a binding that is none": { browserBinding: "on" },
  "a binding of another type": { browserBinding: true },
  "a store that cannot bind logins": { client: clientOfNonces() },
  "hosts that are none": { allowedHosts: "example.com" },
  "a loginUrl that is none": { loginUrl: 1 },
  "a name that is misspelt": { allowedHost: [] },
};
for (const [what, wrong] of Object.entries(MISTAKES)) {
  test(`options that cannot work are refused at once: ${what}`, async (t) => {
    const client = new PortierClient({ redirectUri });
    const options = { client, onLogin() {}, ...wrong };
    assert.throws(() => forExpress.portier(options), ConfigError);
    const { default: Fastify } = await import("fastify");
    const app = Fastify();
    t.after(() => app.close());
    await assert.rejects(async () => app.register(forFastify.portier, options), ConfigError);
  });
}

test("a store that cannot bind logins is for a site that says so", () => {
  assert.ok(forExpress.portier({ client: clientOfNonces(), onLogin() {}, browserBinding: "off" }));
});

test("web_26 the policy of a login page lists where its form may lead", () => {
  const client = new PortierClient({ redirectUri });
  for (const { loginPolicy } of [forExpress, forFastify]) {
    const google = "https://accounts.google.com";
    assert.match(loginPolicy(client), new RegExp(`; form-action 'self' ${client.broker} ${google};`));
    const alone = loginPolicy(client, { identityProviders: [] });
    assert.match(alone, new RegExp(`; form-action 'self' ${client.broker};`));
  }
});

test("the flags of a cookie go with the site", () => {
  const flags = { httpOnly: true, path: "/", sameSite: "lax" };
  for (const { cookieFlags } of [forExpress, forFastify]) {
    const client = new PortierClient({ redirectUri });
    assert.deepEqual(cookieFlags(client), { ...flags, secure: true });
    client.redirectUri = "HTTPS://example.com/verify";
    assert.deepEqual(cookieFlags(client), { ...flags, secure: true });
    client.redirectUri = "http://localhost:8888/verify";
    assert.deepEqual(cookieFlags(client), { ...flags, secure: false });
  }
});

/** A client with a store as npm's `portier` has them: it keeps nonces, and nothing with them. */
function clientOfNonces() {
  class Nonces extends AbstractStore {
    async createNonce(email) {
      return this.generateNonce(email);
    }

    async consumeNonce() {}
  }
  return new PortierClient({ redirectUri, store: new Nonces() });
}
