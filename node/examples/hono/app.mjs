// A small Hono site with a page for members, who log in with their e-mail address.
//
// `demo.mjs`, one level up, serves it together with a development broker, which sends no mail.
import { fileURLToPath } from "node:url";

import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { portier } from "portier-client/hono";

import { fromEnvironment } from "../shared/environment.mjs";
import { commonHeaders, FILES } from "../shared/http.mjs";
import { indexPage, loginPage, membersPage, problemPage } from "../shared/pages.mjs";
import { blame, NOT_FOUND } from "../shared/problems.mjs";
import { hooksOf } from "../shared/sealed.mjs";

const framework = "Hono";

/** Makes the application; `client` knows the broker, `secret` seals the sessions. */
export function makeApp(client, secret, login = {}) {
  const app = new Hono();
  const view = async (c) => ({ framework, email: (await session(c))?.email });
  const { middleware, requireLogin, safeNext, session } = portier({
    client,
    secret,
    ...login,
    loginUrl: "/login",
    ...hooksOf(view),
  });

  app.use(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(commonHeaders(client))) {
      // The pages of the login have some of their own.
      if (!c.res.headers.has(name)) c.header(name, value);
    }
  });
  app.use(middleware);

  app.get("/", async (c) => c.html(indexPage(await view(c))));

  app.get("/login", async (c) => {
    const next = c.req.query("next") ?? "";
    const visitor = await view(c);
    if (visitor.email !== undefined) return c.redirect(safeNext(next) ?? "/", 303);
    return c.html(loginPage(visitor, { next }));
  });

  app.get("/members", requireLogin, (c) => c.html(membersPage({ framework, email: c.var.session.email })));

  for (const { path, type, body } of FILES) {
    app.get(path, (c) => c.body(body, 200, { "content-type": type }));
  }

  app.notFound(async (c) => c.html(problemPage(await view(c), NOT_FOUND), NOT_FOUND.status));

  app.onError((error, c) => {
    console.error(error);
    const problem = blame(error);
    return c.html(problemPage({ framework }, problem), problem.status);
  });

  return app;
}

/** Serves the site with the public broker, which sends real mails, or as the environment says. */
function main() {
  const { client, cookieSecret, port, login } = fromEnvironment();
  const { fetch } = makeApp(client, cookieSecret, login);
  serve({ fetch, port, hostname: "localhost" }, () => console.log(`Open http://localhost:${port}`));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
