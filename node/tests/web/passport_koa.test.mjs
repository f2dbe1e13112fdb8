// Sites on Koa that log in with koa-passport and koa-session.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";

import Koa from "koa";
import bodyParser from "koa-bodyparser";
import koaPassport from "koa-passport";
import session from "koa-session";
import PortierClient from "portier-client";
import { nextPage, Strategy } from "portier-client/passport";
import { DevBroker } from "portier-client/testing";

import { Visitor } from "./visitor.mjs";

let broker;
before(() => {
  broker = new DevBroker();
});
after(() => broker.stop());

describe("koa-passport", { timeout: 60_000 }, () => {
  for (const flow of ["code", "implicit"]) {
    for (const parsed of [false, true]) {
      test(`a login begins a new session: flow ${flow}, ${parsed ? "behind" : "without"} a parser of forms`, async (t) => {
        const site = await serve(t, { options: { flow }, parsed });
        const visitor = new Visitor();
        await visitor.get(`${site.origin}/visit`);
        const before = visitor.cookie("koa.sess").value;
        const started = await visitor.post(`${site.origin}/login`, site.form, { follow: false, origin: site.origin });
        assert.equal(started.status, 303, started.text);
        const answer = broker.signIn(started.headers.location);
        const done =
          flow === "code"
            ? await visitor.get(`${site.verify}?${new URLSearchParams(answer)}`, { follow: false })
            : await visitor.post(site.verify, answer, { follow: false });
        assert.deepEqual([done.status, done.headers.location], [302, "/members"], done.text);
        assert.ok(visitor.cookie("portier-signed-in") && visitor.cookie("seen"), "the cookies of both");
        assert.notEqual(visitor.cookie("koa.sess").value, before);
        assert.equal((await visitor.get(`${site.origin}/members`)).text, "alice@example.com");
      });
    }
  }

  test("a problem has a page, which the site may make", async (t) => {
    const site = await serve(t);
    const visitor = new Visitor();
    const page = await visitor.post(`${site.origin}/login`, { email: "nobody" }, { origin: site.origin });
    assert.equal(page.status, 400);
    assert.match(page.text, /data-id="invalid_email"/);
    const own = await serve(t, { options: { showProblem: ({ id }) => `<h1>${id}</h1>` } });
    const shown = await visitor.post(`${own.origin}/login`, { email: "nobody" }, { origin: own.origin });
    assert.deepEqual([shown.status, shown.text], [400, "<h1>invalid_email</h1>"]);
    assert.match(shown.headers["content-type"], /^text\/html/);
  });

  test("a route may redirect if a login fails", async (t) => {
    const site = await serve(t, { route: { failureRedirect: "/failed" } });
    const failed = await new Visitor().post(`${site.origin}/login`, { email: "nobody" }, { follow: false, origin: site.origin });
    assert.deepEqual([failed.status, failed.headers.location], [302, "/failed"]);
  });

  test("a failure of the site leaves nobody signed in", async (t) => {
    const verify = () => {
      throw new Error("the database is down");
    };
    const site = await serve(t, { verify });
    const visitor = new Visitor();
    const started = await visitor.post(`${site.origin}/login`, site.form, { follow: false, origin: site.origin });
    const query = new URLSearchParams(broker.signIn(started.headers.location));
    assert.equal((await visitor.get(`${site.verify}?${query}`)).status, 500);
    assert.equal(visitor.cookie("portier-signed-in"), undefined);
  });
});

async function serve(t, { options, route, parsed = false, verify = async ({ email }) => ({ email }) } = {}) {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const origin = `http://localhost:${server.address().port}`;
  const client = new PortierClient({ redirectUri: `${origin}/verify`, broker: broker.origin });
  const passport = new koaPassport.KoaPassport();
  passport.use(new Strategy({ client, ...options }, verify));
  passport.serializeUser((user, done) => done(null, user.email));
  passport.deserializeUser((email, done) => done(null, { email }));
  const app = new Koa({ keys: [randomBytes(32).toString("base64url")] });
  app.silent = true;
  app.use(session({ sameSite: "lax", store: memoryStore() }, app));
  if (parsed) app.use(bodyParser());
  app.use(passport.initialize());
  app.use(passport.session());
  const authenticate = passport.authenticate("portier", route);
  const routes = {
    "/login": authenticate,
    "/verify": (ctx) => {
      ctx.cookies.set("seen", "1");
      return authenticate(ctx, () => ctx.redirect(nextPage(ctx.state)));
    },
    "/visit": (ctx) => {
      ctx.session.visits = 1;
      ctx.body = "welcome";
    },
    "/members": (ctx) => {
      ctx.body = ctx.state.user?.email ?? "nobody";
    },
  };
  app.use((ctx, next) => (routes[ctx.path] ?? next)(ctx));
  server.on("request", app.callback());
  return { origin, verify: `${origin}/verify`, form: { email: "alice@example.com", next: "/members" } };
}

/** Sessions on the server, as with Redis. */
function memoryStore() {
  const sessions = new Map();
  return {
    get: async (key) => sessions.get(key),
    set: async (key, value) => void sessions.set(key, value),
    destroy: async (key) => void sessions.delete(key),
  };
}
