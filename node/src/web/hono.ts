/**
 * Log people in from a Hono site, on Node, Bun and Deno.
 *
 * @packageDocumentation
 */

import type { Context, MiddlewareHandler } from "hono";

import { formFields, keptBody, parsedForm, readFetchBody } from "../body.js";
import type { PortierError } from "../errors.js";
import type { NativeBody } from "../native.js";
import type { LoginFlow } from "../login-flow.js";
import type { Session } from "../session.js";
import type { Problem, Step } from "../step.js";
import { queryOf, TakenRequest } from "../web-request.js";
import type { LoginOptions } from "./options.js";
import { renew, respond, type Answer, type ResponseSite } from "./respond.js";
import { readSite, type Paths } from "./routes.js";
import { Sessions } from "./sessions.js";

export type { BrowserBinding } from "../login-flow.js";
export type { Session } from "../session.js";
export type { Confirmation, Problem } from "../step.js";
export { cookieFlags, loginPolicy } from "./options.js";
export type { CookieFlags } from "./options.js";

/** The options of {@link portier}. Hooks get their subject and the context, and may return a `Response`. */
export type PortierOptions = LoginOptions<[c: Context], Answer> & Paths;

/** What {@link Portier.requireLogin} adds to the context. */
export interface SignedIn {
  Variables: {
    /** The session of the signed-in person. */
    session: Session;
  };
}

/** The middleware of a login and of its session, and helpers. */
export interface Portier {
  /**
   * Answers the login form, the redirect URI and, with a `secret`, the form to sign out. Every other request is passed on;
   * if the site has asked for its session, the response renews the cookie if necessary.
   *
   * Use it before `csrf()` and `secureHeaders()`: its pages have their own headers.
   */
  readonly middleware: MiddlewareHandler;
  /** Starts a login: takes a form with `email` and, optionally, `next`. For a site that answers `loginPath` itself. */
  login(this: void, c: Context): Promise<Response>;
  /**
   * Starts a login for `email`, for sites whose form has other fields. Check yourself where the request comes from.
   *
   * The login leads to `nextPage`. A page that would leave the site is dropped.
   */
  startLogin(this: void, c: Context, email: string, nextPage?: string): Promise<Response>;
  /**
   * Returns the session of a request, which is read once; `null` if nobody is signed in, or without the option `secret`.
   * In `onLogin` it is the new session.
   */
  session(this: void, c: Context): Promise<Session | null>;
  /**
   * Lets requests of signed-in people pass, with the session as `c.var.session`. Others are redirected to the login page,
   * and after the login back to this page. A script gets a problem (401).
   *
   * ```js
   * app.get("/members", requireLogin, (c) => c.text(`You are ${c.var.session.email}.`));
   * ```
   */
  readonly requireLogin: MiddlewareHandler<SignedIn>;
  /** Ends the session. For a site that answers `logoutPath` itself; forms of other sites are refused. */
  logout(this: void, c: Context): Promise<Response>;
  /** Returns the page to redirect to, or `null` if a redirect to it could leave the site. */
  safeNext(this: void, page: unknown): string | null;
  /** Explains an error to the person, in the language of the request. */
  explain(this: void, error: PortierError, c: Context): Problem;
  /** The flow, for example for {@link LoginFlow.formTargets}. */
  readonly flow: LoginFlow;
}

/**
 * Creates the middleware of a login, for Hono 4.
 *
 * ```js
 * const { middleware, requireLogin } = portier({
 *   client: new PortierClient({ redirectUri: "https://example.com/verify" }),
 *   secret: process.env.SESSION_SECRET,
 * });
 * app.use(middleware);
 * app.get("/members", requireLogin, (c) => c.text(`You are ${c.var.session.email}.`));
 * ```
 *
 * Throws {@link ConfigError} for invalid and unknown options.
 */
export function portier(options: PortierOptions): Portier {
  const { flow, hasSessions, hooks, routes } = readSite(options);
  const sessions = new Sessions<Context>(flow, hasSessions);
  const site: ResponseSite<Context> = { hooks, sessions, respond: responseOf, withCookies };
  const answer = (step: Step, c: Context): Promise<Response> => respond(step, site, c);
  const steps = {
    login: async (c: Context) => answer(await flow.login(await taken(c)), c),
    callback: async (c: Context) => answer(await flow.callback(await taken(c)), c),
    logout: async (c: Context) => answer(await flow.logout(c.req.raw), c),
    health: async (c: Context) => answer(await flow.health(c.req.raw), c),
  };
  const session = (c: Context): Promise<Session | null> => sessions.of(c, c.req.raw.headers);
  return {
    async middleware(c, next) {
      const route = routes.find(c.req.method, c.req.url);
      if (route !== undefined) return steps[route](c);
      await next();
      const renewed = renew(c.res, await sessions.known(c));
      if (renewed !== c.res) {
        // Otherwise Hono would replace the cookies by those of the earlier response.
        c.res = undefined;
        c.res = renewed;
      }
      return undefined;
    },
    login: steps.login,
    logout: steps.logout,
    async startLogin(c, email, nextPage) {
      return answer(await flow.start(c.req.raw, email, nextPage), c);
    },
    session,
    async requireLogin(c, next) {
      const signedIn = await session(c);
      if (signedIn === null) return answer(sessions.requireLogin(c.req.raw), c);
      c.set("session", signedIn);
      return next();
    },
    safeNext: (page) => flow.safeNext(page),
    explain: (error, c) => flow.explain(error, c.req.header("accept-language")),
    flow,
  };
}

export { portier as default };

/** Makes a response with the headers that the site has set. */
function responseOf(
  c: Context,
  { body, headers, status }: { body: string; headers: Step["reply"]["headers"]; status: number },
  cookies: readonly string[],
): Response {
  // Not as arguments of `body()`: headers that middleware has set on `c.res` would replace them.
  for (const [name, value] of headers) c.header(name, value);
  for (const cookie of cookies) c.header("set-cookie", cookie, { append: true });
  return c.newResponse(body === "" ? null : body, status as 200);
}

/** Returns a copy of a response of the site with further cookies, and with those that middleware has set. */
function withCookies(c: Context, response: Response, cookies: readonly string[]): Response {
  const all = new Set([...c.res.headers.getSetCookie(), ...response.headers.getSetCookie(), ...cookies]);
  const copy = new Response(response.body, response);
  // Hono replaces the cookies of a response by those of `c.res`, unless no other middleware has run.
  for (const { headers } of [c.res, copy]) {
    headers.delete("set-cookie");
    for (const cookie of all) headers.append("set-cookie", cookie);
  }
  return copy;
}

/** Reads a request, and leaves its form to `c.req.parseBody()` of the hooks. */
async function taken({ req }: Context): Promise<TakenRequest> {
  const { bodyCache, method, raw } = req;
  let body: NativeBody;
  if ("formData" in bodyCache) body = formFields(await req.formData());
  else if (Object.keys(bodyCache).length > 0) body = keptBody(await req.text()) ?? null;
  else {
    body = await readFetchBody(raw);
    const form = new FormData();
    const fields = Object.entries(parsedForm(body, { "content-type": raw.headers.get("content-type") ?? "" }));
    for (const [name, values] of fields) for (const value of [values].flat()) form.append(name, String(value));
    Object.assign(bodyCache, { formData: Promise.resolve(form) });
  }
  return new TakenRequest(method, raw.headers, queryOf(raw), body);
}
