/**
 * Log people in from an Express site.
 *
 * @packageDocumentation
 */

import type { NextFunction, Request, Response } from "express";

import { parsedForm, readBody } from "../body.js";
import type { PortierError } from "../errors.js";
import type { Session } from "../session.js";
import type { Problem } from "../step.js";
import { queryOf, TakenRequest } from "../web-request.js";
import { ResponseTracker } from "./response-tracker.js";
import { answer, type Face, type Site } from "./hooks.js";
import { readOptions, type LoginOptions } from "./options.js";
import { Sessions } from "./sessions.js";

export type { BrowserBinding } from "../login-flow.js";
export type { Session } from "../session.js";
export type { Confirmation, Problem } from "../step.js";
export { cookieFlags, loginPolicy } from "./options.js";
export type { CookieFlags } from "./options.js";

/** What an Express site says of its logins. */
export type PortierOptions = LoginOptions<Request, Response>;

/** A handler as Express takes them. */
export type Handler = (request: Request, response: Response, next: NextFunction) => void;

/** Both ends of a login, and what comes after it. */
export interface Portier {
  /**
   * Starts a login: takes a form with `email` and, optionally, `next`.
   *
   * Forms of other sites are refused, as their browsers tell: without that any site could send mail
   * in this one's name. A check of your own can come before it.
   */
  readonly login: Handler;
  /**
   * Completes a login: the redirect URI, to which the broker has the browser post its answer.
   *
   * Give it to `app.use` before your check of forms: that post comes from another site, without
   * cookies, so that such a check cannot apply. It answers that one path, and passes everything else on.
   */
  readonly verify: Handler;
  /**
   * Sends the browser to the broker, to prove that `email` is its person's address: for sites with
   * a login form of another shape. Where the request comes from is for you to check.
   *
   * `nextPage` comes back once that is done. Where it would lead off this site it is dropped.
   */
  startLogin(request: Request, response: Response, email: string, nextPage?: string): Promise<void>;
  /**
   * Gives the session of the person who sends a request, or `null`. It is looked up once for each request, and
   * its cookie renewed when that is due. In `onLogin` it is the session that begins.
   *
   * For sites with the option `secret`; for others, as for everybody who is not signed in, it is `null`.
   */
  session(request: Request): Promise<Session | null>;
  /**
   * Lets those pass who are signed in. Others are redirected to the login page, and from there back to this
   * one; a script gets a problem (401).
   *
   * ```js
   * app.get("/members", requireLogin, async (request, response) => {
   *   const { email } = await session(request);
   *   response.send(`You are ${email}`);
   * });
   * ```
   */
  readonly requireLogin: Handler;
  /**
   * Ends the session: the handler of `POST /logout`. Forms of other sites are refused, as for
   * {@link Portier.login}.
   */
  readonly logout: Handler;
  /** Gives the page as a redirect may use it, or `null` if it would lead off this site. */
  safeNext(page: unknown): string | null;
  /** Puts an error into words, in the language of the request. */
  explain(error: PortierError, request: Request): Problem;
}

/**
 * Makes the handlers of a login.
 *
 * They need no parser of bodies, and do not mind one; Express 4 or 5.
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
 * Throws {@link ConfigError} for options that cannot work, and for ones that do not exist.
 */
export function portier(options: PortierOptions): Portier {
  const { flow, hooks } = readOptions(options);
  const site: Site<Request, Response> = { hooks, face: FACE, sessions: new Sessions(flow) };
  const take = async (step: "login" | "callback", request: Request, response: Response): Promise<void> => {
    const { method, headers } = request;
    const wasRead = request.readableDidRead;
    const body = await readBody(request);
    if (!wasRead) request.body = parsedForm(body, headers);
    const taken = new TakenRequest(method, headers, queryOf(request), body);
    await answer(await flow[step](taken), site, request, response);
  };
  const session = (request: Request): Promise<Session | null> =>
    site.sessions.of(request, (cookie) => {
      const { res: response } = request;
      if (response !== undefined && !response.headersSent) response.append("Set-Cookie", cookie);
    });
  return {
    login: (request, response, next) => {
      take("login", request, response).catch(next);
    },
    verify: (request, response, next) => {
      if (!flow.isCallback(request.originalUrl)) return next();
      take("callback", request, response).catch(next);
    },
    async startLogin(request, response, email, nextPage) {
      await answer(await flow.start(request, email, nextPage), site, request, response);
    },
    session,
    requireLogin: (request, response, next) => {
      const guard = async (): Promise<boolean> => {
        if ((await session(request)) !== null) return true;
        await answer(flow.requireLogin(request), site, request, response);
        return false;
      };
      // What comes next is not ours: what it throws is not caught here.
      guard().then((isSignedIn) => isSignedIn && next(), next);
    },
    logout: (request, response, next) => {
      const end = async (): Promise<void> => answer(await flow.logout(request), site, request, response);
      end().catch(next);
    },
    safeNext: (page) => flow.safeNext(page),
    explain: (error, request) => flow.explain(error, request.headers["accept-language"]),
  };
}

export { portier as default };

const FACE: Face<Response> = {
  prepare(response, status, headers) {
    response.statusCode = status;
    for (const [name, value] of headers) response.setHeader(name, value);
  },
  addCookies(response, cookies) {
    for (const cookie of cookies) response.append("Set-Cookie", cookie);
  },
  addCookiesOnceSuccessful(response, cookies) {
    ResponseTracker.of(response).cookies = cookies;
  },
  send(response, body) {
    // Not `send()`, which adds an `ETag`, and may answer with 304.
    response.end(body);
  },
  async runHook(response, name, hook) {
    const tracker = ResponseTracker.of(response);
    tracker.hook = name;
    const result = await hook(response);
    return { answered: tracker.hasBegun, result };
  },
};
