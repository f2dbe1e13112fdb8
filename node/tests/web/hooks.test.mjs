// The hooks and options of a site, and the defaults without them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { setImmediate as soon } from "node:timers/promises";

import fastifyCookie from "@fastify/cookie";
import session from "express-session";
import PortierClient, { AbstractStore, ConfigError } from "portier-client";
import * as forExpress from "portier-client/express";
import * as forFastify from "portier-client/fastify";

import { eachKind } from "./plain.mjs";
import { Visitor } from "./visitor.mjs";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const redirectUri = "https://example.com/verify";

eachKind((here) => {
  test("a login needs only onLogin", async (t) => {
    const site = await here.serve(t);
    const done = await site.logIn({ next: "/members" });
    assert.deepEqual([done.status, done.headers.location, done.text], [303, "/members", ""]);
    assert.equal(done.headers["cache-control"], "no-store, no-transform");
    assert.equal(done.headers["content-type"], undefined);
    assert.equal(site.logins[0].email, "alice@example.com");
  });

  const SIGN_INS = {
    "nothing": () => undefined,
    "the response": (login, request, response) => response.header("x-site", "1"),
    "a promise of the response": async (login, request, response) => response.header("x-site", "1"),
  };
  for (const [what, onLogin] of Object.entries(SIGN_INS)) {
    test(`onLogin need not answer: it returns ${what}`, async (t) => {
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
    // A browser without a secret gets one with the question, and the session cookie after it.
    const phone = new Visitor();
    const asked = await site.finish(phone, await site.answer(visitor));
    assert.deepEqual(names(asked), isExpress ? ["portier", "seen"] : ["portier"]);
    const done = await phone.post(site.verify, asked.form("").fields, { origin: site.origin, follow: false });
    assert.deepEqual(names(done), ["email", "portier-signed-in", ...(isExpress ? ["seen"] : [])]);
  });

  test("without a page of the site the built-in page is sent", async (t) => {
    const site = await here.serve(t, { showProblem() {}, showConfirmation: async () => {} });
    const refused = await site.start(new Visitor(), { email: "nobody" });
    assert.equal(refused.status, 400);
    assert.match(refused.text, /data-id="invalid_email"/);
    const asked = await site.finish(new Visitor(), await site.answer(new Visitor()));
    assert.match(asked.text, /data-portier="confirmation"/);
    for (const { headers } of [refused, asked]) assert.match(headers["content-security-policy"], /^default-src 'none'/);
  });

  test("an error may be explained in the language of the browser", async (t) => {
    const seen = [];
    const site = await here.serve(t, {
      languages: ["en", "de"],
      texts: { de: { "problem.invalid_email.title": "Bitte prüfen" } },
      onLoginError: (error, request) => void seen.push(site.portier.explain(error, request)),
    });
    const visitor = new Visitor();
    visitor.headers = { "Accept-Language": "de-AT" };
    await site.start(visitor, { email: "nobody" });
    const [{ id, language, retryAfterSeconds, status, title }] = seen;
    assert.deepEqual([id, language, status, title], ["invalid_email", "de", 400, "Bitte prüfen"]);
    assert.equal(retryAfterSeconds, null);
  });

  test("an exception of a hook goes to the error handler of the site", async (t) => {
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

  /** Like sites with sessions on their server: the answer is sent after the session was stored. */
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
  test(`invalid options are refused at once: ${what}`, async (t) => {
    const client = new PortierClient({ redirectUri });
    const options = { client, onLogin() {}, ...wrong };
    assert.throws(() => forExpress.portier(options), ConfigError);
    const { default: Fastify } = await import("fastify");
    const app = Fastify();
    t.after(() => app.close());
    await assert.rejects(async () => app.register(forFastify.portier, options), ConfigError);
  });
}

test("a store that cannot bind logins needs browserBinding off", () => {
  assert.ok(forExpress.portier({ client: clientOfNonces(), onLogin() {}, browserBinding: "off" }));
});

eachKind((here) => {
  test("the questions of the examples ignore early clicks like that of the library", async (t) => {
    const site = await here.serve(t);
    const { text } = await site.finish(new Visitor(), await site.answer(new Visitor()));
    const [, script] = /<script>\n?(.*?)<\/script>/s.exec(text);
    const theirs = readFileSync(path.join(ROOT, "node/examples/shared/static/once.js"), "utf8");
    const code = (text) => text.replaceAll(/^\/\/.*\n/gm, "").trim();
    assert.equal(code(theirs).replace('querySelector("form.confirm")', "forms[0]"), code(script));
  });
});

test("the flags of a cookie depend on the scheme of the site", () => {
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

/** A client with a store like those of npm's `portier`, which keeps only nonces. */
function clientOfNonces() {
  class Nonces extends AbstractStore {
    async createNonce(email) {
      return this.generateNonce(email);
    }

    async consumeNonce() {}
  }
  return new PortierClient({ redirectUri, store: new Nonces() });
}
