/**
 * Log people in from an Express site.
 *
 * @packageDocumentation
 */

import type { NextFunction, Request, Response } from "express";

import { ask } from "./answered.js";
import { keptForm, readForm } from "./form.js";
import { LoginFlow, type Framework } from "./flow.js";
import { readOptions, type LoginOptions } from "./options.js";

export type { BrowserBinding } from "./binding.js";
export type { Confirmation } from "./confirmation.js";
export { explain } from "./problems.js";
export type { Problem } from "./problems.js";
export { cookieFlags, loginPolicy } from "./site.js";
export type { CookieFlags } from "./site.js";

/** What an Express site says of its logins. */
export type PortierOptions = LoginOptions<Request, Response>;

/** A handler as Express takes them. */
export type Handler = (request: Request, response: Response, next: NextFunction) => void;

/** Both ends of a login. */
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
   * cookies, so that such a check cannot apply. It takes `POST`, `GET` and `HEAD` of that one path,
   * and passes everything else on.
   */
  readonly verify: Handler;
  /**
   * Sends the browser to the broker, to prove that `email` is its person's address: for sites with
   * a login form of another shape. Where the request comes from is for you to check.
   *
   * `nextPage` comes back once that is done. Where it would lead off this site it is dropped.
   */
  startLogin(request: Request, response: Response, email: string, nextPage?: string): Promise<void>;
  /** Gives the page as a redirect may use it, or `null` if it would lead off this site. */
  safeNext(page: unknown): string | null;
}

/**
 * Makes the two handlers of a login.
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
  const site = readOptions(options);
  const flow = new LoginFlow(site, FRAMEWORK);
  return {
    login: (request, response, next) => {
      flow.login(request, response).catch(next);
    },
    verify: (request, response, next) => {
      const step = isCallback(request, site.client.redirectUri) ? STEPS[request.method] : undefined;
      if (step === undefined) next();
      else flow[step](request, response).catch(next);
    },
    startLogin: (...parameters) => flow.startLogin(...parameters),
    safeNext: (page) => flow.safeNext(page),
  };
}

export { portier as default };

const STEPS: Partial<Record<string, "verify" | "visit">> = {
  GET: "visit",
  HEAD: "visit",
  POST: "verify",
};

// Not by a route: whether those mind case and slashes is for the site to say.
function isCallback({ originalUrl }: Request, redirectUri: string): boolean {
  return originalUrl.split("?", 1)[0] === new URL(redirectUri).pathname;
}

// What begins an answer, now or in a moment.
const ANSWERING = ["end", "render", "sendFile", "write", "writeHead"];

const FRAMEWORK: Framework<Request, Response> = {
  headers: (request) => request.headers,
  async form(request) {
    // Express 4 leaves an empty object to whoever comes after a parser that did not care.
    if (request.readableDidRead) return keptForm(request);
    const form = await readForm(request);
    request.body = form;
    return form;
  },
  prepare(response, { status, headers }) {
    response.status(status).set(headers);
  },
  addCookie(response, cookie) {
    response.append("Set-Cookie", cookie);
  },
  send(response, body) {
    // Not `send()`, which adds an `ETag`, and may answer with 304.
    response.end(body);
  },
  ask: (response, hook) => ask(response, ANSWERING, hook),
  // Express has no log.
  note() {},
};
