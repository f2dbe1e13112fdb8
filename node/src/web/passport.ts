/**
 * Log people in with Passport, in Express and in Koa.
 *
 * @packageDocumentation
 */

import type { IncomingMessage } from "node:http";

import { invalidOption, LoginRefused } from "../errors.js";
import type { LoginFlow } from "../login-flow.js";
import type { Step } from "../step.js";
import { takeForm } from "../web-request.js";
import { answer, type Face } from "./hooks.js";
import { faceOf, keepReply } from "./passport-next.js";
import {
  readSettings,
  type PassportRequest,
  type PassportResponse,
  type Settings,
  type StrategyOptions,
  type Verify,
  type VerifyWithRequest,
} from "./passport-settings.js";
import { Sessions } from "./sessions.js";

export type { BrowserBinding } from "../login-flow.js";
export type { Login } from "../login.js";
export type { Confirmation, Problem } from "../step.js";
export { cookieFlags, loginPolicy } from "./options.js";
export type { CookieFlags } from "./options.js";
export type { Done, StrategyOptions, Verify, VerifyWithRequest } from "./passport-settings.js";

/** What Passport adds to a strategy for a request. */
interface Actions {
  success(user: unknown, info: object): void;
  fail(challenge: unknown, status?: number): void;
  error(error: unknown): void;
}

/** The options of a route that Passport passes on. */
type RouteOptions = Partial<Record<"failureRedirect" | "failureMessage" | "failureFlash" | "failWithError", unknown>>;

/**
 * The strategy `portier`. One route takes the login form, and another one, of all methods, the redirect URI.
 *
 * ```js
 * passport.use(new Strategy({ client }, async ({ email }) => users.findOrCreate(email)));
 * app.post("/login", passport.authenticate("portier"));
 * app.all("/verify", passport.authenticate("portier"), redirectToNext);
 * ```
 *
 * Throws {@link ConfigError} for invalid and unknown options.
 */
export class Strategy {
  /** The name for `passport.authenticate`. */
  readonly name: string = "portier";
  /** The flow, which has among others `safeNext`, `explain` and `formPolicy`. */
  readonly flow: LoginFlow;
  // Not `#private`: Passport makes an object for each request, whose prototype is the strategy.
  private readonly settings: Settings;

  constructor(options: StrategyOptions & { passReqToCallback: true }, verify: VerifyWithRequest);
  constructor(options: StrategyOptions & { passReqToCallback?: false | undefined }, verify: Verify);
  constructor(options: StrategyOptions, verify: Verify | VerifyWithRequest) {
    const { flow, ...settings } = readSettings(options, verify);
    this.flow = flow;
    this.settings = settings;
  }

  /** Called by Passport. */
  authenticate(this: Actions, request: IncomingMessage, options: RouteOptions = {}): void {
    (this as Strategy & Actions).take(request, options).catch((error: unknown) => this.error(error));
  }

  private async take(this: Strategy & Actions, request: PassportRequest, options: RouteOptions): Promise<void> {
    const { hooks, problems } = this.settings;
    const { res: response, ctx } = request;
    if (response === undefined) throw invalidOption("the request has no response: the strategy needs Express or Koa");
    const taken = await takeForm(request, ctx?.req ?? request, ctx?.request ?? request);
    const taking = this.flow.isCallback(targetOf(request)) ? "callback" : "login";
    const face = faceOf(ctx?.res ?? response);
    const step = await this.signIn(await this.flow[taking](taken), request, face);
    if (step === undefined) return;
    const { problem, reply } = step;
    if (problem !== null && (problems ?? choiceOf(options)) === "fail") {
      face.addCookies(response, reply.cookies);
      return this.fail({ type: "error", message: problem.text, problem }, problem.status);
    }
    await answer(step, { hooks, face, sessions: new Sessions(this.flow, false) }, request, response);
  }

  /** Passes the user of a completed login to Passport. Returns the step of every other request. */
  private async signIn(
    this: Strategy & Actions,
    step: Step,
    request: PassportRequest,
    face: Face<PassportResponse>,
  ): Promise<Step | undefined> {
    const { login, loginCookies, reply } = step;
    if (login === null) return step;
    try {
      const [user, info] = await this.settings.verify(request, login);
      if (!user) return void this.fail(info);
      face.addCookiesOnceSuccessful(request.res as PassportResponse, [...reply.cookies, ...loginCookies]);
      const given = typeof info === "object" ? info : { message: info };
      return void this.success(user, { next: keepReply(request, reply), ...given });
    } catch (error) {
      if (error instanceof LoginRefused) return step.refuse(error);
      throw error;
    }
  }
}

export { nextPage, redirectToNext } from "./passport-next.js";
export { Strategy as default };

function targetOf({ originalUrl, url }: PassportRequest): string | undefined {
  return originalUrl ?? url;
}

function choiceOf({ failureRedirect, failureMessage, failureFlash, failWithError }: RouteOptions): "page" | "fail" {
  return failureRedirect || failureMessage || failureFlash || failWithError ? "fail" : "page";
}
