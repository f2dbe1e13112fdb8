/**
 * Log people in from a server of `node:http`, or of a framework that extends it, such as Connect and Polka.
 *
 * @packageDocumentation
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

import type { PortierError } from "../errors.js";
import type { LoginFlow } from "../login-flow.js";
import type { Session } from "../session.js";
import type { Problem } from "../step.js";
import { NodeSteps } from "./node-steps.js";
import type { LoginOptions } from "./options.js";
import { readSite, type Paths } from "./routes.js";

export type { BrowserBinding } from "../login-flow.js";
export type { Session } from "../session.js";
export type { Confirmation, Problem } from "../step.js";
export { cookieFlags, loginPolicy } from "./options.js";
export type { CookieFlags } from "./options.js";

/** A request of `node:http`, or of the compatible form of `node:http2`. */
export type Request = IncomingMessage | Http2ServerRequest;

/** A response of `node:http`, or of the compatible form of `node:http2`. */
export type Response = ServerResponse | Http2ServerResponse;

/** The options of {@link portier}. */
export type PortierOptions = LoginOptions<[request: IncomingMessage, response: ServerResponse]> & Paths;

/** The handlers of a login and of its session, and helpers. */
export interface Portier {
  /**
   * Answers the login form, the redirect URI and, with a `secret`, the form to sign out: the result is `true`. Every
   * other request is the site's: the result is `false`, and the response is as it was.
   *
   * It needs no body parser; one may run before it. Call it before your CSRF check.
   */
  handle(this: void, request: Request, response: Response): Promise<boolean>;
  /** {@link Portier.handle} as middleware of Connect, Polka and others. Errors are passed to `next`. */
  middleware(this: void, request: Request, response: Response, next: (error?: unknown) => unknown): void;
  /** Starts a login: takes a form with `email` and, optionally, `next`. For a site that answers `loginPath` itself. */
  login(this: void, request: Request, response: Response): Promise<void>;
  /**
   * Starts a login for `email`, for sites whose form has other fields. Check yourself where the request comes from.
   *
   * The login leads to `nextPage`. A page that would leave the site is dropped.
   */
  startLogin(this: void, request: Request, response: Response, email: string, nextPage?: string): Promise<void>;
  /**
   * Returns the session of a request. It is read once for each request, and its cookie is renewed if necessary. In
   * `onLogin` it is the new session.
   *
   * It is `null` if nobody is signed in, or without the option `secret`.
   */
  session(this: void, request: Request, response: Response): Promise<Session | null>;
  /**
   * Returns the session of a request, or `null` if it has answered the request, because nobody is signed in: with a
   * redirect to the login page, and after the login back to this page; a script gets a problem (401).
   *
   * ```js
   * const visitor = await requireLogin(request, response);
   * if (visitor !== null) response.end(`You are ${visitor.email}.`);
   * ```
   */
  requireLogin(this: void, request: Request, response: Response): Promise<Session | null>;
  /** Ends the session. For a site that answers `logoutPath` itself; forms of other sites are refused. */
  logout(this: void, request: Request, response: Response): Promise<void>;
  /** Returns the page to redirect to, or `null` if a redirect to it could leave the site. */
  safeNext(this: void, page: unknown): string | null;
  /** Explains an error to the person, in the language of the request. */
  explain(this: void, error: PortierError, request: Request): Problem;
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
 * createServer(async (request, response) => {
 *   if (await handle(request, response)) return;
 *   const visitor = await requireLogin(request, response);
 *   if (visitor !== null) response.end(`You are ${visitor.email}.`);
 * });
 * ```
 *
 * Throws {@link ConfigError} for invalid and unknown options.
 */
export function portier(options: PortierOptions): Portier {
  const { flow, hasSessions, hooks, routes } = readSite(options);
  const steps = new NodeSteps<IncomingMessage, ServerResponse>(flow, hooks, hasSessions);
  // The two kinds have the same methods.
  const both =
    <Rest extends unknown[], Result>(step: (request: IncomingMessage, response: ServerResponse, ...rest: Rest) => Result) =>
    (request: Request, response: Response, ...rest: Rest): Result =>
      step(request as IncomingMessage, response as ServerResponse, ...rest);
  const handle = both(async (request, response) => {
    const { originalUrl = request.url } = request as { originalUrl?: string };
    const route = routes.find(request.method, originalUrl);
    if (route !== undefined) await steps[route](request, response);
    return route !== undefined;
  });
  return {
    handle,
    middleware: (request, response, next) => {
      // Called outside of the promise, so that exceptions of the next handlers are not caught here.
      handle(request, response).then((isAnswered) => isAnswered || next(), next);
    },
    login: both((request, response) => steps.login(request, response)),
    startLogin: both((...given: Parameters<typeof steps.startLogin>) => steps.startLogin(...given)),
    session: both((request, response) => steps.session(request, response)),
    requireLogin: both((request, response) => steps.requireLogin(request, response)),
    logout: both((request, response) => steps.logout(request, response)),
    safeNext: (page) => flow.safeNext(page),
    explain: (error, { headers }) => flow.explain(error, headers["accept-language"]),
    flow,
  };
}

export { portier as default };
