/**
 * Log people in from an Express site.
 *
 * @packageDocumentation
 */

import type { NextFunction, Request, Response } from "express";

import type { PortierError } from "../errors.js";
import type { LoginFlow } from "../login-flow.js";
import type { Session } from "../session.js";
import type { Problem } from "../step.js";
import { NodeSteps } from "./node-steps.js";
import { readOptions, type LoginOptions } from "./options.js";

export type { BrowserBinding } from "../login-flow.js";
export type { Session } from "../session.js";
export type { Confirmation, Problem } from "../step.js";
export { cookieFlags, loginPolicy } from "./options.js";
export type { CookieFlags } from "./options.js";

/** The options of {@link portier}. */
export type PortierOptions = LoginOptions<[request: Request, response: Response]>;

/** A handler of Express. */
export type Handler<Locals extends object = Record<string, any>> = (
  request: Request,
  response: Response<any, Locals>,
  next: NextFunction,
) => void;

/** What {@link Portier.requireLogin} adds to `response.locals`. */
export interface SignedIn {
  /** The session of the signed-in person. */
  session: Session;
}

/** The handlers of a login and of its session, and helpers. */
export interface Portier {
  /**
   * Starts a login: takes a form with `email` and, optionally, `next`.
   *
   * Forms of other sites are refused. Otherwise any site could send mail in the name of this site. Your own CSRF check
   * may run before it.
   */
  readonly login: Handler;
  /**
   * Completes a login: answers the redirect URI, and passes every other request on.
   *
   * Mount it with `app.use`, before your CSRF check. In the implicit flow the form is posted by the broker's page,
   * which is another site, so such a check would refuse it.
   */
  readonly verify: Handler;
  /**
   * Starts a login for `email`, for sites whose form has other fields. Check yourself where the request comes from.
   *
   * The login leads to `nextPage`. A page that would leave the site is dropped.
   */
  startLogin(request: Request, response: Response, email: string, nextPage?: string): Promise<void>;
  /**
   * Returns the session of a request. It is read once for each request, and its cookie is renewed if necessary. In
   * `onLogin` it is the new session.
   *
   * It is `null` if nobody is signed in, or without the option `secret`.
   */
  session(request: Request): Promise<Session | null>;
  /**
   * Lets requests of signed-in people pass, with the session as `response.locals.session`. Others are redirected to the
   * login page, and after the login back to this page. A script gets a problem (401).
   *
   * ```js
   * app.get("/members", requireLogin, (request, response) => {
   *   response.send(`You are ${response.locals.session.email}`);
   * });
   * ```
   */
  readonly requireLogin: Handler<SignedIn>;
  /**
   * Ends the session: the handler of `POST /logout`. Forms of other sites are refused, as for
   * {@link Portier.login}.
   */
  readonly logout: Handler;
  /** Answers health checks, on a path such as `/healthz`; see {@link LoginFlow.health}. */
  readonly health: Handler;
  /** Returns the page to redirect to, or `null` if a redirect to it could leave the site. */
  safeNext(page: unknown): string | null;
  /** Explains an error to the person, in the language of the request. */
  explain(error: PortierError, request: Request): Problem;
  /** The flow, for example for {@link LoginFlow.formTargets}. */
  readonly flow: LoginFlow;
}

/**
 * Creates the handlers of a login, for Express 4 and 5.
 *
 * They need no body parser; one may run before them.
 *
 * ```js
 * const { login, verify } = portier({
 *   client: new PortierClient({ redirectUri: "https://example.com/verify" }),
 *   onLogin: ({ email }, request, response) => response.cookie("email", email, { signed: true }),
 * });
 * app.use(verify);
 * app.post("/login", login);
 * ```
 *
 * Throws {@link ConfigError} for invalid and unknown options.
 */
export function portier(options: PortierOptions): Portier {
  const { flow, hasSessions, hooks } = readOptions(options);
  const steps = new NodeSteps<Request, Response>(flow, hooks, hasSessions);
  return {
    login: (request, response, next) => {
      steps.login(request, response).catch(next);
    },
    verify: (request, response, next) => {
      if (!flow.isCallback(request.originalUrl)) return next();
      steps.callback(request, response).catch(next);
    },
    startLogin: (request, response, email, nextPage) => steps.startLogin(request, response, email, nextPage),
    session: (request) => steps.session(request, request.res),
    requireLogin: (request, response, next) => {
      // Called outside of the promise, so that exceptions of the next handlers are not caught here.
      steps.requireLogin(request, response).then((session) => {
        if (session === null) return;
        response.locals.session = session;
        next();
      }, next);
    },
    logout: (request, response, next) => {
      steps.logout(request, response).catch(next);
    },
    health: (request, response, next) => {
      steps.health(request, response).catch(next);
    },
    safeNext: (page) => flow.safeNext(page),
    explain: (error, request) => flow.explain(error, request.headers["accept-language"]),
    flow,
  };
}

export { portier as default };
