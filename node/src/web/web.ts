/**
 * Log people in from handlers of `fetch`: Next.js, SvelteKit, React Router, Astro, Nitro, `Bun.serve`, `Deno.serve`.
 *
 * @packageDocumentation
 */

import type { PortierError } from "../errors.js";
import type { LoginFlow } from "../login-flow.js";
import type { Session } from "../session.js";
import type { Problem, Step } from "../step.js";
import type { LoginOptions } from "./options.js";
import { isResponse, renew, respond, withCookies, type Answer, type ResponseSite } from "./respond.js";
import { readSite, type Paths } from "./routes.js";
import { Sessions } from "./sessions.js";

export type { BrowserBinding } from "../login-flow.js";
export type { Session } from "../session.js";
export type { Confirmation, Problem } from "../step.js";
export { cookieFlags, loginPolicy } from "./options.js";
export type { CookieFlags } from "./options.js";

/** The options of {@link portier}. Hooks get their subject and the request, and may return a `Response`. */
export type PortierOptions = LoginOptions<[request: Request], Answer> & Paths;

/** The handlers of a login and of its session, and helpers. */
export interface Portier {
  /**
   * Answers the login form, the redirect URI and, with a `secret`, the form to sign out. Every other request is the
   * site's: the result is `undefined`.
   */
  handle(this: void, request: Request): Promise<Response | undefined>;
  /**
   * The same as middleware: for every other request, returns the result of `next`. If the site has called
   * {@link Portier.session} for this request and the session needs it, the response renews the cookie. In frameworks where
   * `next` may return something else than a `Response`, as in h3, pass headers to {@link Portier.session}.
   *
   * ```js
   * // src/hooks.server.js of SvelteKit
   * export const handle = ({ event, resolve }) => auth.handle(event.request, () => resolve(event));
   * ```
   */
  handle<Result>(this: void, request: Request, next: () => Result | Promise<Result>): Promise<Response | Result>;
  /**
   * {@link Portier.handle} as a route handler of Next.js: other requests get 404. For a file such as
   * `app/auth/[step]/route.js`:
   *
   * ```js
   * export const { GET, POST } = auth;
   * ```
   */
  GET(this: void, request: Request): Promise<Response>;
  /** The same as {@link Portier.GET}. */
  POST(this: void, request: Request): Promise<Response>;
  /** Starts a login: takes a form with `email` and, optionally, `next`. For a site that answers `loginPath` itself. */
  login(this: void, request: Request): Promise<Response>;
  /**
   * Starts a login for `email`, for sites whose form has other fields. Check yourself where the request comes from.
   *
   * The login leads to `nextPage`. A page that would leave the site is dropped.
   */
  startLogin(this: void, request: Request, email: string, nextPage?: string): Promise<Response>;
  /**
   * Returns the session of a request, which is read once; `null` if nobody is signed in, or without the option `secret`.
   * In `onLogin` it is the new session. The request may be any object with `headers`.
   *
   * A session that needs it is renewed by a cookie: in `headers`, if these are the headers of a response, or else by
   * {@link Portier.handle} with `next`. Elsewhere, add `renewal` of the session to the response as `Set-Cookie`.
   */
  session(this: void, request: Pick<Request, "headers">, headers?: Headers): Promise<Session | null>;
  /**
   * Returns the session of a request, or the response to send to somebody who is not signed in: a redirect to the login
   * page, and after the login back to this page; for a script a problem (401).
   *
   * ```js
   * const visitor = await requireLogin(request);
   * if (visitor instanceof Response) return visitor;
   * return new Response(`You are ${visitor.email}.`);
   * ```
   */
  requireLogin(this: void, request: Request, headers?: Headers): Promise<Session | Response>;
  /** Ends the session. For a site that answers `logoutPath` itself; forms of other sites are refused. */
  logout(this: void, request: Request): Promise<Response>;
  /** Returns the page to redirect to, or `null` if a redirect to it could leave the site. */
  safeNext(this: void, page: unknown): string | null;
  /** Explains an error to the person, in the language of the request. */
  explain(this: void, error: PortierError, request: Pick<Request, "headers">): Problem;
  /** The flow, for example for {@link LoginFlow.formTargets}. */
  readonly flow: LoginFlow;
}

/**
 * Creates the handlers of a login.
 *
 * ```js
 * const { handle, requireLogin } = portier({
 *   client: new PortierClient({ redirectUri: "https://example.com/verify" }),
 *   secret: process.env.SESSION_SECRET,
 * });
 *
 * Bun.serve({ fetch: (request) => handle(request, () => site(request)) });
 * ```
 *
 * Throws {@link ConfigError} for invalid and unknown options.
 */
export function portier(options: PortierOptions): Portier {
  const { flow, hasSessions, hooks, routes } = readSite(options);
  const sessions = new Sessions<Pick<Request, "headers">>(flow, hasSessions);
  // The sessions whose renewal is in the headers of a response.
  const renewed = new WeakSet<Session>();
  const site: ResponseSite<Request> = {
    hooks,
    sessions,
    respond(_, { body, headers, status }, cookies) {
      const all = [...headers, ...cookies.map((cookie) => ["set-cookie", cookie] as const)];
      // Pairs, so that several cookies stay several.
      return new Response(body === "" ? null : body, { status, headers: all.map(([name, value]) => [name, value]) });
    },
    withCookies: (_, response, cookies) => withCookies(response, cookies),
  };
  const answer = (step: Step, request: Request): Promise<Response> => respond(step, site, request);
  const hasFormHooks = (hooks.onLoginError ?? hooks.showProblem) !== undefined;
  const steps = {
    login: async (request: Request) => answer(await flow.login(hasFormHooks ? copyOf(request) : request), request),
    callback: async (request: Request) => answer(await flow.callback(request), request),
    logout: async (request: Request) => answer(await flow.logout(request), request),
    health: async (request: Request) => answer(await flow.health(request), request),
  };
  const session: Portier["session"] = async (request, headers) => {
    const session = await sessions.of(request, request.headers);
    if (headers !== undefined && session !== null && session.renewal !== null && !renewed.has(session)) {
      renewed.add(session);
      headers.append("set-cookie", session.renewal);
    }
    return session;
  };
  async function handle(request: Request): Promise<Response | undefined>;
  async function handle<Result>(
    request: Request,
    next: () => Result | Promise<Result>,
  ): Promise<Response | Result>;
  // With one parameter, as handlers of `fetch` have: `next` does not count for `handle.length`.
  async function handle(request: Request, ...[next]: [next?: () => unknown]): Promise<unknown> {
    const route = routes.find(request.method, request.url);
    if (route !== undefined) return steps[route](request);
    const result = await next?.();
    if (!isResponse(result)) return result;
    const session = await sessions.known(request);
    return session !== null && renewed.has(session) ? result : renew(result, session);
  }
  const only = async (request: Request): Promise<Response> =>
    (await handle(request)) ?? new Response("Not Found", { status: 404 });
  return {
    handle,
    GET: only,
    POST: only,
    login: steps.login,
    logout: steps.logout,
    async startLogin(request, email, nextPage) {
      return answer(await flow.start(request, email, nextPage), request);
    },
    session,
    async requireLogin(request, headers) {
      return (await session(request, headers)) ?? answer(sessions.requireLogin(request), request);
    },
    safeNext: (page) => flow.safeNext(page),
    explain: (error, { headers }) => flow.explain(error, headers.get("accept-language")),
    flow,
  };
}

export { portier as default };

/** A copy of a request, so that hooks can read the form as well; the request itself if its form was read before. */
function copyOf(request: Request): Request {
  return request.bodyUsed || request.body === null || request.body.locked ? request : request.clone();
}
