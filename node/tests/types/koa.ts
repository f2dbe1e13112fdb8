// The guarantees of the types on Koa; compiled, never run.
import Koa, { type Context } from "koa";

import { PortierClient, type Login, type Session } from "portier-client";
import forKoa, * as ofKoa from "portier-client/koa";
import { login } from "portier-client/testing";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<_Holds extends true>(): void {}

const client = new PortierClient({ redirectUri: "https://example.com/verify" });

export function inKoa(): void {
  is<Equal<typeof forKoa, typeof ofKoa.portier>>();
  const options: ofKoa.PortierOptions = {
    client,
    logoutPath: null,
    onLogin(login, ctx) {
      is<Equal<typeof login, Login>>();
      is<Equal<typeof ctx, Context>>();
      ctx.cookies.set("email", login.email, ofKoa.cookieFlags(client));
    },
    showProblem: ({ title }) => title,
  };
  const { middleware, requireLogin, session, startLogin, ...auth }: ofKoa.Portier = ofKoa.portier(options);
  ofKoa.portier({ client, secret: "…" });
  const app = new Koa();
  app.use(middleware);
  app.use(async (ctx, next) => {
    if (ctx.path === "/sign-in") return startLogin(ctx, "alice@example.com", auth.safeNext(ctx.query["next"]) ?? "/");
    ctx.state["email"] = (await session(ctx))?.email;
    return next();
  });
  app.use(requireLogin).use((ctx) => {
    is<Equal<typeof ctx.state.session, Session>>();
    ctx.body = ctx.state.session.email;
  });
  // @ts-expect-error a site says what to do with a login
  ofKoa.portier({ client });
  // @ts-expect-error there is no such option
  ofKoa.portier({ ...options, logoutpath: "/logout" });
  void login(app, "alice@example.com");
  void login(app.callback(), "alice@example.com");
}
