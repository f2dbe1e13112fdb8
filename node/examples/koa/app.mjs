// A small Koa site with a page for members, who log in with their e-mail address.
//
// `demo.mjs`, one level up, serves it together with a development broker, which sends no mail.
import { fileURLToPath } from "node:url";

import Koa from "koa";
import { portier } from "portier-client/koa";

import { fromEnvironment } from "../shared/environment.mjs";
import { commonHeaders, FILES } from "../shared/http.mjs";
import { indexPage, loginPage, membersPage, problemPage } from "../shared/pages.mjs";
import { blame, NOT_FOUND } from "../shared/problems.mjs";
import { hooksOf } from "../shared/sealed.mjs";

const framework = "Koa";

/** Makes the application; `client` knows the broker, `secret` seals the sessions. */
export function makeApp(client, secret, login = {}) {
  const app = new Koa();
  const view = async (ctx) => ({ framework, email: (await session(ctx))?.email });
  const { middleware, requireLogin, safeNext, session } = portier({
    client,
    secret,
    ...login,
    loginUrl: "/login",
    ...hooksOf(view),
  });

  const pages = {
    async "/"(ctx) {
      ctx.body = indexPage(await view(ctx));
    },
    async "/login"(ctx) {
      const next = String(ctx.query.next ?? "");
      const visitor = await view(ctx);
      if (visitor.email === undefined) ctx.body = loginPage(visitor, { next });
      else seeOther(ctx, safeNext(next) ?? "/");
    },
    "/members": (ctx) =>
      requireLogin(ctx, async () => {
        ctx.body = membersPage(await view(ctx));
      }),
  };
  for (const { path, type, body } of FILES) {
    pages[path] = (ctx) => {
      ctx.type = type;
      ctx.body = body;
    };
  }

  app.use(async (ctx, next) => {
    ctx.set(commonHeaders(client));
    try {
      await next();
    } catch (error) {
      const problem = blame(error);
      if (problem.status >= 500) console.error(error);
      ctx.status = problem.status;
      ctx.body = problemPage({ framework }, problem);
    }
  });
  app.use(middleware);
  app.use(async (ctx) => {
    if (["GET", "HEAD"].includes(ctx.method) && Object.hasOwn(pages, ctx.path)) return pages[ctx.path](ctx);
    ctx.status = NOT_FOUND.status;
    ctx.body = problemPage(await view(ctx), NOT_FOUND);
  });

  return app;
}

/** Redirects with 303, so that the browser does not post the form again. */
function seeOther(ctx, url) {
  ctx.status = 303;
  ctx.redirect(url);
}

/** Serves the site with the public broker, which sends real mails, or as the environment says. */
function main() {
  const { client, cookieSecret, port, login } = fromEnvironment();
  const ready = () => console.log(`Open http://localhost:${port}`);
  makeApp(client, cookieSecret, login).listen(port, "localhost", ready);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
