// A site on Hono, for the cases of all integrations: on Node, Bun or Deno.
import { listenForFetch, require, RETURNS, serve } from "./control.mjs";

const { Hono } = require("hono");
const { portier } = require("portier-client/hono");

await serve(
  (options, site) => {
    const app = new Hono();
    const { middleware, requireLogin, session, startLogin } = portier({ ...options, healthPath: "/healthz" });
    app.use(async (c, next) => {
      // As middleware does that sets headers before the site responds.
      if (site.setsCookies) c.res.headers.append("set-cookie", "seen=1; Path=/");
      await next();
    });
    app.use(middleware);
    app.post("/start", (c) => startLogin(c, site.start.email, site.start.next));
    app.all("/members", requireLogin, (c) => c.text("for members"));
    app.get("/session", async (c) => {
      const { email = null } = (await session(c)) ?? {};
      return c.json({ email });
    });
    app.notFound((c) => c.text("nowhere", 404));
    app.onError((error, c) => c.text("a page of the site", 500));
    return (request) => app.fetch(request);
  },
  { hooks: RETURNS, listen: listenForFetch },
);
