// A site on Koa with koa-session, for the cases of all integrations.
import { require, serve } from "./control.mjs";

// One of the versions that the package is tested with.
const Koa = require(process.argv[2] ?? "koa");
const session = require("koa-session");
const { portier } = require("portier-client/koa");

await serve(
  (options, site) => {
    const app = new Koa();
    app.keys = ["a secret of the site"];
    const auth = portier({ ...options, healthPath: "/healthz" });
    const pages = {
      "/start": (ctx) => auth.startLogin(ctx, site.start.email, site.start.next),
      "/members": (ctx) =>
        auth.requireLogin(ctx, async () => {
          ctx.body = "for members";
        }),
      "/session": async (ctx) => {
        const { email = null } = (await auth.session(ctx)) ?? {};
        ctx.body = { email };
      },
    };
    app.use(async (ctx, next) => {
      if (site.setsCookies) ctx.append("set-cookie", "seen=1; Path=/");
      try {
        await next();
      } catch {
        ctx.status = 500;
        ctx.body = "a page of the site";
      }
    });
    app.use((session.createSession ?? session)(app));
    app.use(auth.middleware);
    app.use((ctx) => pages[ctx.path]?.(ctx));
    return app.callback();
  },
  {
    hooks: {
      respond(status, text, ctx) {
        ctx.status = status;
        ctx.body = text;
      },
      setCookie: (cookie, ctx) => ctx.append("set-cookie", cookie),
    },
  },
);
