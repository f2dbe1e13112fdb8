// The guarantees of the types where responses are those of `fetch`; compiled, never run.
import { Hono, type Context } from "hono";

import { PortierClient, type Login, type PortierError, type Session } from "portier-client";
import forHono, * as ofHono from "portier-client/hono";
import forFetch, * as ofFetch from "portier-client/web";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<_Holds extends true>(): void {}

const client = new PortierClient({ redirectUri: "https://example.com/verify" });

export async function inFetch(request: Request, next: () => Response | Promise<Response>): Promise<Response> {
  is<Equal<typeof forFetch, typeof ofFetch.portier>>();
  const options: ofFetch.PortierOptions = {
    client,
    loginPath: "/auth/login",
    logoutPath: null,
    browserBinding: "require",
    onLogin(login, request) {
      is<Equal<typeof login, Login>>();
      is<Equal<typeof request, Request>>();
      return login.email === "" ? new Response(null, { status: 403 }) : undefined;
    },
    async onLoginError(error) {
      is<Equal<typeof error, PortierError>>();
    },
    showProblem: ({ status, title }: ofFetch.Problem) => (status === 401 ? title : new Response(title)),
    showConfirmation: async ({ email }) => email,
  };
  const auth: ofFetch.Portier = ofFetch.portier(options);
  ofFetch.portier({ client, secret: "…", sessionMaxAge: 3600 });
  ofFetch.portier({ client, onLogin: () => {} });
  ofFetch.portier({ client, onLogin: async () => {} });
  const { GET, handle, login, logout, requireLogin, safeNext, session, startLogin } = auth;
  is<Equal<Awaited<ReturnType<typeof GET>>, Response>>();
  const answered = await handle(request);
  is<Equal<typeof answered, Response | undefined>>();
  const page = await handle(request, next);
  is<Equal<typeof page, Response>>();
  is<Equal<Awaited<ReturnType<typeof inNitro>>, unknown>>();
  const headers = new Headers();
  is<Equal<Awaited<ReturnType<typeof session>>, Session | null>>();
  await session({ headers }, headers);
  const visitor = await requireLogin(request);
  if (visitor instanceof Response) return visitor;
  is<Equal<typeof visitor, Session>>();
  await startLogin(request, visitor.email, safeNext("/") ?? "/");
  await login(request);
  await logout(request);
  is<Equal<ReturnType<typeof auth.explain>, ofFetch.Problem>>();
  // @ts-expect-error a site says what to do with a login
  ofFetch.portier({ client });
  // @ts-expect-error a hook returns a response, or nothing
  ofFetch.portier({ client, onLogin: () => 1 });
  // @ts-expect-error there is no such option
  ofFetch.portier({ ...options, loginpath: "/login" });
  return page;
}

export async function inNitro({ req }: { req: Request }, next: () => unknown): Promise<unknown> {
  return ofFetch.portier({ client, secret: "…" }).handle(req, next);
}

export function inHono(): Hono {
  is<Equal<typeof forHono, typeof ofHono.portier>>();
  const options: ofHono.PortierOptions = {
    client,
    loginPath: null,
    onLogin(login, c) {
      is<Equal<typeof login, Login>>();
      is<Equal<typeof c, Context>>();
      return login.email === "" ? c.text("suspended", 403) : undefined;
    },
    showProblem: ({ title }, c) => c.html(title),
    showConfirmation: ({ email }) => email,
  };
  const { middleware, requireLogin, session, startLogin, ...auth }: ofHono.Portier = ofHono.portier(options);
  ofHono.portier({ client, secret: "…" });
  const app = new Hono();
  app.use(middleware);
  app.get("/members", requireLogin, (c) => {
    is<Equal<typeof c.var.session, Session>>();
    return c.text(c.get("session").email);
  });
  app.get("/", async (c) => c.json({ email: (await session(c))?.email }));
  app.post("/sign-in", (c) => startLogin(c, "alice@example.com", auth.safeNext(c.req.query("next")) ?? "/"));
  app.post("/login", auth.login).post("/logout", auth.logout);
  const guarded = new Hono<ofHono.SignedIn>().use(requireLogin).get("/", (c) => c.text(c.var.session.id));
  // @ts-expect-error a site says what to do with a login
  ofHono.portier({ client });
  // @ts-expect-error a hook returns a response, or nothing
  ofHono.portier({ client, onLogin: () => "/" });
  return app.route("/guarded", guarded);
}
