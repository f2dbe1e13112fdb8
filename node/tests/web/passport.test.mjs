// Sites that log in with Passport, with its usual companions.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";

import cookieParser from "cookie-parser";
import { doubleCsrf } from "csrf-csrf";
import express from "express";
import expressV4 from "express-v4";
import session from "express-session";
import helmet from "helmet";
import passport from "passport";
import passportV06 from "passport-v06";
import PortierClient, { ConfigError } from "portier-client";
import { nextPage, redirectToNext, Strategy } from "portier-client/passport";
import { DevBroker } from "portier-client/testing";

import { Visitor } from "./visitor.mjs";

const SECRET = randomBytes(32).toString("base64url");
const ALICE = { email: "alice@example.com" };

let broker;
before(() => {
  broker = new DevBroker();
});
after(() => broker.stop());

const KINDS = {
  "Passport 0.7, Express 5": [passport, express],
  "Passport 0.6, Express 4": [passportV06, expressV4],
};
for (const [kind, [{ Passport }, express]] of Object.entries(KINDS)) {
  const serve = (t, details) => serveSite(t, Passport, express, details);
  describe(kind, { timeout: 60_000 }, () => {
    for (const flow of ["code", "implicit"]) {
      test(`a login begins a new session, behind helmet and a check of forms: flow ${flow}`, async (t) => {
        const companions = (app, { client }) => {
          const { doubleCsrfProtection, generateCsrfToken } = doubleCsrf({
            getSecret: () => SECRET,
            getSessionIdentifier: (request) => request.session.id,
            cookieName: "csrf",
            cookieOptions: { secure: false },
            getCsrfTokenFromRequest: (request) => request.body.token,
            // The broker's form has no token. In the code flow there is no such form.
            skipCsrfProtection: (request) => request.originalUrl === new URL(client.redirectUri).pathname,
          });
          app.use(helmet(), cookieParser(), express.urlencoded({ extended: false }), doubleCsrfProtection);
          app.get("/form", (request, response) => {
            request.session.visited = true;
            response.send(generateCsrfToken(request, response));
          });
        };
        const site = await serve(t, { options: { flow, formTokenChecked: true }, companions });
        const visitor = new Visitor();
        const token = (await visitor.get(`${site.origin}/form`)).text;
        const before = visitor.cookie("connect.sid").value;
        assert.equal((await site.start(visitor)).status, 403, "without a token");
        const done = await site.logIn(visitor, { token, next: "/members" });
        assert.deepEqual([done.status, done.headers.location], [303, "/members"], done.text);
        assert.notEqual(visitor.cookie("connect.sid").value, before);
        assert.equal((await visitor.get(`${site.origin}/members`)).text, ALICE.email);
      });
    }

    const VERIFIES = {
      "with done": [{}, ({ email }, done) => done(null, { email })],
      "as a function": [{}, ({ email }) => ({ email })],
      "as a promise": [{}, async ({ email }) => ({ email })],
      "with any parameters": [{}, (...given) => given.at(-1)(null, { email: given[0].email })],
      "with the request and done": [
        { passReqToCallback: true },
        (request, { email }, done) => done(null, { email, path: request.path }),
      ],
      "with the request, as a promise": [{ passReqToCallback: true }, async (request, { email }) => ({ email })],
    };
    for (const [name, [options, verify]] of Object.entries(VERIFIES)) {
      test(`the site finds the user ${name}`, async (t) => {
        const site = await serve(t, { options, verify });
        const visitor = new Visitor();
        assert.equal((await site.logIn(visitor)).status, 303);
        assert.equal((await visitor.get(`${site.origin}/members`)).text, ALICE.email);
      });
    }

    const NOBODY = {
      "false with done": (login, done) => done(null, false, { message: "not a member" }),
      "no user in a promise": async (login) => void login,
    };
    for (const [name, verify] of Object.entries(NOBODY)) {
      test(`a person who is no user is not signed in: ${name}`, async (t) => {
        const site = await serve(t, { verify });
        const visitor = new Visitor();
        const done = await site.logIn(visitor);
        assert.equal(done.status, 401);
        assert.equal(visitor.cookie("portier-signed-in"), undefined);
        assert.equal((await visitor.get(`${site.origin}/members`)).text, "nobody");
      });
    }

    const FAILURES = {
      "an error with done": (login, done) => done(new Error("the database is down")),
      "an exception": () => {
        throw new Error("the database is down");
      },
      "a rejection": async () => {
        throw new Error("the database is down");
      },
    };
    for (const [name, verify] of Object.entries(FAILURES)) {
      test(`a failure of the site goes to its error handler: ${name}`, async (t) => {
        const site = await serve(t, { verify });
        const visitor = new Visitor();
        const done = await site.logIn(visitor);
        assert.deepEqual([done.status, done.text], [500, "the database is down"]);
        assert.equal(visitor.cookie("portier-signed-in"), undefined);
      });
    }

    test("a problem has a page, which the site may make", async (t) => {
      const site = await serve(t, {});
      const page = await site.start(new Visitor(), { email: "nobody" });
      assert.equal(page.status, 400);
      assert.match(page.text, /data-id="invalid_email"/);
      const own = await serve(t, { options: { showProblem: ({ id }) => `<h1>${id}</h1>` } });
      const shown = await own.start(new Visitor(), { email: "nobody" });
      assert.deepEqual([shown.status, shown.text], [400, "<h1>invalid_email</h1>"]);
    });

    test("a route may redirect if a login fails, with a message", async (t) => {
      const site = await serve(t, { route: { failureRedirect: "/failed", failureMessage: true } });
      const visitor = new Visitor();
      const failed = await site.start(visitor, { email: "nobody" });
      assert.deepEqual([failed.status, failed.headers.location], [302, "/failed"]);
      assert.match((await visitor.get(`${site.origin}/failed`)).text, /does not look like an e-mail address/);
      await site.start(visitor);
      const cancelled = await visitor.get(`${site.verify}?error=access_denied`, { follow: false });
      assert.equal(cancelled.headers.location, "/failed");
    });

    test("a route may pass problems on as errors", async (t) => {
      const site = await serve(t, { route: { failWithError: true } });
      const failed = await site.start(new Visitor(), { email: "nobody" });
      assert.deepEqual([failed.status, failed.text], [400, "Bad Request"]);
    });

    test("a callback of the route gets the user or the problem", async (t) => {
      const routes = (app, passport) => {
        app.all(["/login", "/verify"], (request, response, next) => {
          passport.authenticate("portier", (error, user, info, status) => {
            if (error) return next(error);
            response.send(user ? `${user.email} ${info.next}` : `${info.problem.id} ${status}`);
          })(request, response, next);
        });
      };
      const site = await serve(t, { options: { problems: "fail" }, routes });
      const visitor = new Visitor();
      assert.equal((await site.start(visitor, { email: "nobody" })).text, "invalid_email 400");
      assert.equal((await site.logIn(visitor, { next: "/a?b" })).text, "alice@example.com /a?b");
      assert.notEqual(visitor.cookie("portier-signed-in"), undefined);
    });

    test("a route without sessions gets the user and the page", async (t) => {
      const routes = (app, passport) => {
        const authenticate = passport.authenticate("portier", { session: false });
        app.post("/login", authenticate);
        app.all("/verify", authenticate, (request, response) => response.send(`${request.user.email} ${nextPage(request)}`));
      };
      const site = await serve(t, { routes });
      assert.equal((await site.logIn(new Visitor(), { next: "/members" })).text, "alice@example.com /members");
    });

    test("two strategies of one site each complete their own logins", async (t) => {
      const routes = (app, passport, { origin }) => {
        const client = new PortierClient({ redirectUri: `${origin}/staff/verify`, broker: broker.origin });
        const find = async ({ email }) => ({ email: `staff ${email}` });
        passport.use("staff", new Strategy({ client, loginUrl: "/staff/login" }, find));
        app.post("/login", passport.authenticate("portier"));
        app.all("/verify", passport.authenticate("portier"), redirectToNext);
        app.post("/staff/login", passport.authenticate("staff", { failureRedirect: "/failed" }));
        app.all("/staff/verify", passport.authenticate("staff"), redirectToNext);
      };
      const site = await serve(t, { routes });
      const visitor = new Visitor();
      // Both logins are under way in one browser.
      const started = await visitor.post(`${site.origin}/staff/login`, { ...ALICE, next: "/staff" }, { follow: false, origin: site.origin });
      assert.equal((await site.logIn(visitor, { next: "/members" })).headers.location, "/members");
      assert.equal((await visitor.get(`${site.origin}/members`)).text, "alice@example.com");
      const answer = new URLSearchParams(broker.signIn(started.headers.location));
      const strange = await visitor.get(`${site.verify}?${answer}`, { follow: false });
      assert.match(strange.text, /data-portier="problem"/, "at the redirect URI of the other strategy");
      const done = await visitor.get(`${site.origin}/staff/verify?${answer}`, { follow: false });
      assert.deepEqual([done.status, done.headers.location], [303, "/staff"]);
      assert.equal((await visitor.get(`${site.origin}/members`)).text, "staff alice@example.com");
    });

    test("a reload of the callback leads to the same page", async (t) => {
      const site = await serve(t, {});
      const visitor = new Visitor();
      const url = await site.answer(visitor, { next: "/members" });
      for (const _ of [1, 2]) {
        const done = await visitor.get(url, { follow: false });
        assert.deepEqual([done.status, done.headers.location], [303, "/members"]);
      }
      assert.equal(site.users.length, 1);
    });

    test("a script gets the address as JSON", async (t) => {
      const site = await serve(t, {});
      const body = new URLSearchParams(ALICE);
      const headers = { accept: "application/json", "sec-fetch-site": "same-origin" };
      const response = await fetch(`${site.origin}/login`, { method: "POST", body, headers });
      assert.equal(response.status, 200);
      assert.ok((await response.json()).url.startsWith(broker.origin));
    });

    test("a redirect outside of a login is an error of the site", async (t) => {
      const site = await serve(t, { routes: (app) => app.get("/verify", redirectToNext) });
      const page = await new Visitor().get(site.verify);
      assert.match(page.text, /redirectToNext has to follow/);
    });
  });
}

test("invalid options are found when the strategy is made", () => {
  const client = new PortierClient({ redirectUri: "http://localhost/verify", broker: broker.origin });
  const invalid = (options, verify = () => {}) => () => new Strategy(options, verify);
  assert.throws(invalid({ client, secret: SECRET }), /secret is not an option here/);
  assert.throws(invalid({ client, passReqToCallBack: true }), ConfigError);
  assert.throws(invalid({ client, problems: "pages" }), /neither page nor fail/);
  assert.throws(invalid({ client }, null), /verify is not a function/);
  assert.throws(invalid({}), /not a PortierClient/);
});

test("a request without a response is an error", async () => {
  const client = new PortierClient({ redirectUri: "http://localhost/verify", broker: broker.origin });
  const { Passport } = passport;
  const own = new Passport().use(new Strategy({ client }, () => ALICE));
  const error = await new Promise((resolve) => {
    own.authenticate("portier")({ method: "POST", url: "/login", headers: {} }, {}, resolve);
  });
  assert.match(error.message, /the strategy needs Express or Koa/);
});

/** Serves a site with sessions until the test is over. */
async function serveSite(t, Passport, express, details) {
  const { options = {}, route = {}, companions = () => {}, routes } = details;
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const site = new Site(`http://localhost:${server.address().port}`);
  const { verify = async ({ email }) => ({ email }) } = details;
  const passport = new Passport();
  passport.use(new Strategy({ client: site.client, ...options }, verify));
  passport.serializeUser((user, done) => {
    site.users.push(user);
    done(null, user.email);
  });
  passport.deserializeUser((email, done) => done(null, { email }));
  const app = express();
  app.use(session({ secret: SECRET, resave: false, saveUninitialized: false, cookie: { sameSite: "lax" } }));
  app.use(passport.session());
  companions(app, site);
  if (routes) {
    routes(app, passport, site);
  } else {
    app.post("/login", passport.authenticate("portier", route));
    app.all("/verify", passport.authenticate("portier", route), redirectToNext);
  }
  app.get("/members", ({ user }, response) => response.send(user?.email ?? "nobody"));
  app.get("/failed", ({ session }, response) => response.send(session.messages.join()));
  app.use((error, request, response, next) => {
    if (response.headersSent) return next(error);
    response.status(error.status ?? 500).send(error.message);
  });
  server.on("request", app);
  return site;
}

class Site {
  users = [];

  constructor(origin) {
    this.origin = origin;
    this.verify = `${origin}/verify`;
    this.client = new PortierClient({ redirectUri: this.verify, broker: broker.origin });
  }

  /** Posts the login form; follows nothing. */
  start(visitor, fields = {}) {
    return visitor.post(`${this.origin}/login`, { ...ALICE, ...fields }, { follow: false, origin: this.origin });
  }

  /** Starts a login; returns the address that the browser comes back to in the code flow. */
  async answer(visitor, fields) {
    const { headers } = await this.start(visitor, fields);
    return `${this.verify}?${new URLSearchParams(broker.signIn(headers.location))}`;
  }

  /** A whole login, in either flow. */
  async logIn(visitor, fields) {
    const { headers, status, text } = await this.start(visitor, fields);
    assert.equal(status, 303, text);
    const answer = broker.signIn(headers.location);
    if (!("code" in answer)) return visitor.post(this.verify, answer, { follow: false });
    return visitor.get(`${this.verify}?${new URLSearchParams(answer)}`, { follow: false });
  }
}
