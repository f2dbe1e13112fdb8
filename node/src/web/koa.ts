/**
 * Log people in from a Koa site.
 *
 * @packageDocumentation
 */

import type { Context, Middleware, Next } from "koa";

import type { PortierError } from "../errors.js";
import type { LoginFlow } from "../login-flow.js";
import type { Session } from "../session.js";
import type { Problem, Step } from "../step.js";
import { takeForm, type TakenRequest } from "../web-request.js";
import { answer, type Face, type Site } from "./hooks.js";
import type { LoginOptions } from "./options.js";
import { ResponseTracker } from "./response-tracker.js";
import { readSite, type Paths } from "./routes.js";
import { Sessions } from "./sessions.js";

export type { BrowserBinding } from "../login-flow.js";
export type { Session } from "../session.js";
export type { Confirmation, Problem } from "../step.js";
export { cookieFlags, loginPolicy } from "./options.js";
export type { CookieFlags } from "./options.js";

/** The options of {@link portier}. A hook responds as usual, with `ctx.body`, `ctx.status` or `ctx.redirect`. */
export type PortierOptions = LoginOptions<[ctx: Context]> & Paths;

/** What {@link Portier.requireLogin} adds to `ctx.state`. */
export interface SignedIn {
  /** The session of the signed-in person. */
  session: Session;
}

/** The middleware of a login and of its session, and helpers. */
export interface Portier {
  /**
   * Answers the login form, the redirect URI and, with a `secret`, the form to sign out. Every other request is passed on.
   *
   * It needs no body parser; one may run before it. Use it before your CSRF check.
   */
  readonly middleware: Middleware;
  /** Starts a login: takes a form with `email` and, optionally, `next`. For a site that answers `loginPath` itself. */
  login(this: void, ctx: Context): Promise<void>;
  /**
   * Starts a login for `email`, for sites whose form has other fields. Check yourself where the request comes from.
   *
   * The login leads to `nextPage`. A page that would leave the site is dropped.
   */
  startLogin(this: void, ctx: Context, email: string, nextPage?: string): Promise<void>;
  /**
   * Returns the session of a request. It is read once for each request, and its cookie is renewed if necessary. In
   * `onLogin` it is the new session.
   *
   * It is `null` if nobody is signed in, or without the option `secret`.
   */
  session(this: void, ctx: Context): Promise<Session | null>;
  /**
   * Lets requests of signed-in people pass, with the session as `ctx.state.session`. Others are redirected to the login
   * page, and after the login back to this page. A script gets a problem (401).
   */
  readonly requireLogin: Middleware<SignedIn>;
  /** Ends the session. For a site that answers `logoutPath` itself; forms of other sites are refused. */
  logout(this: void, ctx: Context): Promise<void>;
  /** Returns the page to redirect to, or `null` if a redirect to it could leave the site. */
  safeNext(this: void, page: unknown): string | null;
  /** Explains an error to the person, in the language of the request. */
  explain(this: void, error: PortierError, ctx: Context): Problem;
  /** The flow, for example for {@link LoginFlow.formTargets}. */
  readonly flow: LoginFlow;
}

/**
 * Creates the middleware of a login, for Koa 2 and 3.
 *
 * ```js
 * const { middleware, requireLogin } = portier({
 *   client: new PortierClient({ redirectUri: "https://example.com/verify" }),
 *   secret: process.env.SESSION_SECRET,
 * });
 * app.use(middleware);
 * router.get("/members", requireLogin, (ctx) => {
 *   ctx.body = `You are ${ctx.state.session.email}.`;
 * });
 * ```
 *
 * Throws {@link ConfigError} for invalid and unknown options.
 */
export function portier(options: PortierOptions): Portier {
  const { flow, hasSessions, hooks, routes } = readSite(options);
  const site: Site<Context, Context> = { hooks, face: FACE, sessions: new Sessions(flow, hasSessions) };
  const send = (step: Step, ctx: Context): Promise<void> => answer(step, site, ctx, ctx);
  const steps = {
    login: async (ctx: Context) => send(await flow.login(await taken(ctx)), ctx),
    callback: async (ctx: Context) => send(await flow.callback(await taken(ctx)), ctx),
    logout: async (ctx: Context) => send(await flow.logout(ctx), ctx),
    health: async (ctx: Context) => send(await flow.health(ctx), ctx),
  };
  const session = (ctx: Context): Promise<Session | null> =>
    site.sessions.of(ctx, ctx.headers, (cookie) => ctx.append("Set-Cookie", cookie));
  return {
    async middleware(ctx: Context, next: Next) {
      const route = routes.find(ctx.method, ctx.originalUrl);
      await (route === undefined ? next() : steps[route](ctx));
    },
    login: steps.login,
    logout: steps.logout,
    async startLogin(ctx, email, nextPage) {
      await send(await flow.start(ctx, email, nextPage), ctx);
    },
    session,
    async requireLogin(ctx: Context, next: Next) {
      const signedIn = await session(ctx);
      if (signedIn === null) return send(site.sessions.requireLogin(ctx), ctx);
      ctx.state["session"] = signedIn;
      await next();
    },
    safeNext: (page) => flow.safeNext(page),
    explain: (error, ctx) => flow.explain(error, ctx.get("accept-language")),
    flow,
  };
}

export { portier as default };

/** Reads a request, and leaves the fields of its form in `ctx.request.body`, as parsers do. */
function taken(ctx: Context): Promise<TakenRequest> {
  const { headers, method, originalUrl } = ctx;
  const place = ctx.request as { body?: unknown; rawBody?: unknown };
  const request = { headers, method, originalUrl, body: place.body, rawBody: place.rawBody };
  return takeForm(request, ctx.req, place);
}

const FACE: Face<Context> = {
  prepare(ctx, status, headers) {
    ctx.status = status;
    for (const [name, value] of headers) ctx.set(name, value);
  },
  addCookies(ctx, cookies) {
    for (const cookie of cookies) ctx.append("Set-Cookie", cookie);
  },
  addCookiesOnceSuccessful(ctx, cookies) {
    ResponseTracker.of(ctx.res).cookies = cookies;
  },
  send(ctx, body) {
    // Also if it is empty: with `null`, Koa would change the status to 204.
    ctx.body = body;
    if (body === "") ctx.remove("Content-Type");
  },
  async runHook(ctx, _, hook) {
    const { body, status } = ctx;
    const result = await hook(ctx);
    return { answered: ctx.headerSent || ctx.body !== body || ctx.status !== status, result };
  },
};
