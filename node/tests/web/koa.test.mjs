// `portier-client/koa`: a login beside the usual middleware.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import Koa from "koa";
import bodyParser from "koa-bodyparser";
import helmet from "koa-helmet";
import koaSession from "koa-session";
import { ConfigError } from "portier-client";
import { portier } from "portier-client/koa";
import { DevBroker } from "portier-client/testing";

import { serveSite } from "./plain.mjs";
import { Visitor } from "./visitor.mjs";

const SECRET = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA";

const broker = new DevBroker();
after(() => broker.stop());

/** Serves a site. `first` and `then` add to it, before and after the middleware of the login. */
async function serve(t, options = {}, { first, then } = {}) {
  return serveSite(t, broker, (site) => {
    const app = new Koa();
    app.keys = ["a secret of the site"];
    app.on("error", (error) => site.errors.push(error));
    site.auth = portier({ client: site.client, secret: SECRET, ...options });
    first?.(app);
    app.use(site.auth.middleware);
    then?.(app, site.auth);
    app.use(site.auth.requireLogin);
    app.use((ctx) => {
      ctx.body = `You are ${ctx.state.session.email}.`;
    });
    return app.callback();
  });
}

const page = (visitor, site, path) => visitor.get(site.origin + path, { follow: false });
const namesOf = ({ headers }) => [headers["set-cookie"] ?? []].flat().map((cookie) => cookie.split("=")[0]);

test("a login, a page for members, and a logout", async (t) => {
  const site = await serve(t, { loginUrl: "/login" });
  const visitor = new Visitor();
  const turned = await page(visitor, site, "/members?page=2");
  assert.deepEqual([turned.status, turned.headers.location], [303, "/login?next=%2Fmembers%3Fpage%3D2"]);
  const done = await site.logIn({ next: "/members?page=2" }, visitor);
  assert.deepEqual([done.status, done.headers.location, done.text], [303, "/members?page=2", ""]);
  assert.equal(done.headers["content-type"], undefined);
  assert.equal(done.headers["content-length"], "0");
  assert.equal((await page(visitor, site, "/members")).text, "You are alice@example.com.");
  const out = await visitor.post(`${site.origin}/logout`, {}, { follow: false, origin: site.origin });
  assert.deepEqual([out.status, out.headers.location], [303, "/login"]);
  assert.equal((await page(visitor, site, "/members")).status, 303);
  assert.deepEqual(site.errors, []);
});

test("a login works behind koa-session, koa-bodyparser and koa-helmet", async (t) => {
  for (const flow of ["code", "implicit"]) {
    const first = (app) => app.use(helmet()).use(koaSession(app)).use(bodyParser());
    const site = await serve(t, { flow }, { first });
    const visitor = new Visitor();
    const refused = await site.start(visitor, { email: "nobody" });
    assert.equal(refused.status, 400);
    assert.match(refused.headers["content-security-policy"], /default-src 'none'/);
    assert.ok(refused.headers["strict-transport-security"], "of helmet");
    const done = await site.logIn({ next: "/members" }, visitor);
    assert.deepEqual([done.status, done.headers.location], [303, "/members"], flow);
    assert.equal((await page(visitor, site, "/members")).text, "You are alice@example.com.");
  }
});

test("a login begins a new session of koa-session", async (t) => {
  const stored = new Map();
  const store = {
    get: async (key) => stored.get(key),
    set: async (key, session) => void stored.set(key, session),
    destroy: async (key) => void stored.delete(key),
  };
  const onLogin = async ({ email }, ctx) => {
    ctx.session = { email };
    await ctx.session.regenerate();
  };
  const first = (app) => app.use(koaSession({ store }, app));
  const then = (app) =>
    app.use((ctx) => {
      ctx.session.views = (ctx.session.views ?? 0) + 1;
      ctx.body = ctx.session.email ?? "nobody";
    });
  const site = await serve(t, { onLogin, secret: null }, { first, then });
  const visitor = new Visitor();
  assert.equal((await page(visitor, site, "/")).text, "nobody");
  const [before] = stored.keys();
  const done = await site.logIn({}, visitor);
  assert.deepEqual(namesOf(done).toSorted(), ["koa.sess", "koa.sess.sig", "portier-signed-in"]);
  assert.equal((await page(visitor, site, "/")).text, "alice@example.com");
  assert.ok(!stored.has(before), "the session from before has ended");
  assert.equal(stored.size, 1);
});

const ANSWERS = {
  "a body": (ctx) => {
    ctx.body = "welcome";
  },
  "a status": (ctx) => {
    ctx.status = 204;
  },
  "a redirect": (ctx) => ctx.redirect("/welcome"),
  "a body, after a while": async (ctx) => {
    await new Promise(setImmediate);
    ctx.body = { welcome: true };
  },
  "the response of Node": (ctx) => {
    ctx.respond = false;
    ctx.res.writeHead(200).end("welcome");
  },
};
for (const [what, onLogin] of Object.entries(ANSWERS)) {
  test(`a hook responds in the terms of Koa: ${what}`, async (t) => {
    const site = await serve(t, { onLogin: (login, ctx) => onLogin(ctx) });
    const done = await site.logIn();
    assert.notEqual(done.status, 303);
    assert.deepEqual(namesOf(done).toSorted(), ["portier-session", "portier-signed-in"]);
  });
}

test("the cookies of the site stay as they are", async (t) => {
  const first = (app) =>
    app.use((ctx, next) => {
      ctx.cookies.set("seen", "1");
      return next();
    });
  const onLogin = ({ email }, ctx) => {
    ctx.cookies.set("email", email);
    ctx.set("x-site", "1");
  };
  const done = await (await serve(t, { onLogin }, { first })).logIn();
  assert.deepEqual([done.status, done.headers["x-site"]], [303, "1"]);
  assert.deepEqual(namesOf(done).toSorted(), ["email", "portier-session", "portier-signed-in", "seen"]);
});

test("nobody is signed in after a hook that refuses or fails", async (t) => {
  const hooks = {
    403: (login, ctx) => ctx.throw(403),
    401: (login, ctx) => {
      ctx.status = 401;
    },
    500: () => Promise.reject(new Error("the site has failed")),
  };
  for (const [status, onLogin] of Object.entries(hooks)) {
    const site = await serve(t, { onLogin });
    const visitor = new Visitor();
    const answer = await site.answer(visitor);
    const done = await site.finish(visitor, answer);
    assert.deepEqual([done.status, namesOf(done)], [Number(status), []]);
    assert.match((await site.finish(visitor, answer)).text, /data-id="used"/);
  }
});

test("a hook can read the form, and show a page in its own words", async (t) => {
  const showProblem = ({ id }, ctx) => `<h1>${id} ${ctx.request.body.email}</h1>`;
  const refused = await (await serve(t, { showProblem })).start(new Visitor(), { email: "nobody" });
  assert.deepEqual([refused.status, refused.text], [400, "<h1>invalid_email nobody</h1>"]);
  assert.equal(refused.headers["content-type"], "text/html; charset=utf-8");
  assert.equal(refused.headers["content-security-policy"], undefined);
});

test("a hook that responds after its response was sent does no harm", async (t) => {
  let late;
  const onLogin = (login, ctx) => {
    late = () => {
      ctx.status = 500;
      ctx.body = "too late";
    };
  };
  const site = await serve(t, { onLogin });
  assert.equal((await site.logIn()).status, 303);
  late();
  assert.equal((await site.logIn()).status, 303);
});

test("a site may start and end logins itself", async (t) => {
  const then = (app, { login, logout, session, startLogin }) =>
    app.use(async (ctx, next) => {
      const pages = {
        "/sign-in": () => startLogin(ctx, "alice@example.com", "/members"),
        "/form": () => login(ctx),
        "/out": () => logout(ctx),
        "/who": async () => {
          ctx.body = { email: (await session(ctx))?.email ?? null };
        },
      };
      await (pages[ctx.path] ?? next)();
    });
  const site = await serve(t, { loginPath: null, logoutPath: null }, { then });
  const visitor = new Visitor();
  const post = (path, form = {}) => visitor.post(site.origin + path, form, { follow: false, origin: site.origin });
  assert.match((await post("/sign-in")).headers.location, new RegExp(`^${broker.origin}`));
  const started = await post("/form", { email: "alice@example.com" });
  await site.finish(visitor, broker.signIn(started.headers.location));
  assert.deepEqual(JSON.parse((await page(visitor, site, "/who")).text), { email: "alice@example.com" });
  assert.equal((await post("/out")).status, 303);
  assert.deepEqual(JSON.parse((await page(visitor, site, "/who")).text), { email: null });
});

test("a mistake in the options shows when the site starts", () => {
  assert.throws(() => portier({ client: {}, secret: SECRET }), ConfigError);
});
