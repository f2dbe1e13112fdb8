/**
 * Log people in with Passport, in Express and in Koa.
 *
 * @packageDocumentation
 */

import type { IncomingMessage, ServerResponse } from "node:http";

import { parsedForm, readBody } from "../body.js";
import type { PortierClient } from "../client.js";
import { invalidOption } from "../errors.js";
import type { Login } from "../login.js";
import { LoginFlow, type FlowOptions } from "../login-flow.js";
import { FLOW_NAMES } from "../names.js";
import type { Reply, Step } from "../step.js";
import { flag, members, optionalText } from "../text.js";
import { queryOf, TakenRequest } from "../web-request.js";
import { answer, type Face } from "./hooks.js";
import { readOptions, type Hooks } from "./options.js";
import { ResponseTracker } from "./response-tracker.js";
import { Sessions } from "./sessions.js";

export type { BrowserBinding } from "../login-flow.js";
export type { Login } from "../login.js";
export type { Confirmation, Problem } from "../step.js";
export { cookieFlags, loginPolicy } from "./options.js";
export type { CookieFlags } from "./options.js";

const OF_SESSIONS = ["secret", "sessionMaxAge", "sessionAbsoluteMaxAge", "accept"] as const;

/** The options of {@link Strategy}. Only `client` is required. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export interface StrategyOptions<Request = any, Response = any>
  extends Omit<FlowOptions, (typeof OF_SESSIONS)[number]>,
    Omit<Hooks<[request: Request, response: Response]>, "onLogin"> {
  /** The client to log in with. */
  client: PortierClient;
  /** Whether `verify` gets the request as its first argument. */
  passReqToCallback?: boolean | undefined;
  /**
   * What people see if a login fails. With `"page"` it is the page about the problem. With `"fail"` the route decides, by
   * `failureRedirect` and the like, or in its own callback. By default the route decides if it has `failureRedirect`,
   * `failureMessage`, `failureFlash` or `failWithError`.
   */
  problems?: "page" | "fail" | undefined;
}

/** The last argument of `verify`. A user that is missing or `false` fails the login. */
export type Done = (error: unknown, user?: unknown, info?: unknown) => void;

/**
 * Finds the user of a login. It passes the user to `done`, or returns it or a promise of it and takes no `done`.
 */
export type Verify = (login: Login, done: Done) => unknown;
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type VerifyWithRequest<Request = any> = (request: Request, login: Login, done: Done) => unknown;

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
    const stream = ctx?.req ?? request;
    const wasRead = stream.readableDidRead;
    const body = await readBody(request, stream);
    if (!wasRead) (ctx?.request ?? request).body = parsedForm(body, request.headers);
    const taken = new TakenRequest(request.method ?? "", request.headers, queryOf(request), body);
    const step = await this.flow[this.flow.isCallback(targetOf(request)) ? "callback" : "login"](taken);
    const face = faceOf(ctx?.res ?? response);
    if (step.login !== null) return this.finish(step, step.login, request, face);
    if (step.problem !== null && (problems ?? choiceOf(options)) === "fail") {
      face.addCookies(response, step.reply.cookies);
      return this.fail({ type: "error", message: step.problem.text, problem: step.problem }, step.problem.status);
    }
    await answer(step, { hooks, face, sessions: new Sessions(this.flow) }, request, response);
  }

  private async finish(
    this: Strategy & Actions,
    { loginCookies, reply }: Step,
    login: Login,
    request: PassportRequest,
    face: Face<PassportResponse>,
  ): Promise<void> {
    const [user, info] = await this.settings.verify(request, login);
    if (!user) return this.fail(info);
    face.addCookiesOnceSuccessful(request.res as PassportResponse, [...reply.cookies, ...loginCookies]);
    const given = typeof info === "object" ? info : { message: info };
    replies.set(request, reply);
    this.success(user, { next: destinationOf(reply), ...given });
  }
}

export { Strategy as default };

/** Redirects to the page that a login leads to, after `passport.authenticate`. A script gets JSON. For Express. */
export function redirectToNext(request: IncomingMessage, response: ServerResponse): void {
  const reply = replies.get(request);
  if (reply === undefined) throw invalidOption("redirectToNext has to follow passport.authenticate of the redirect URI");
  const face = faceOf(response);
  face.prepare(response, reply.status, reply.headers);
  face.send(response, reply.body);
}

const replies = new WeakMap<object, Reply>();

/**
 * Returns the page that a login leads to, after `passport.authenticate`, from a request of Express or `ctx.state` of Koa.
 */
export function nextPage({ authInfo }: { authInfo?: unknown }): string {
  const { next } = Object(authInfo) as { next?: unknown };
  return typeof next === "string" ? next : "/";
}

interface Settings {
  hooks: Hooks<[PassportRequest, PassportResponse]>;
  problems: string | undefined;
  verify(request: PassportRequest, login: Login): Promise<[user: unknown, info: unknown]>;
}

/** A request of Express, or the one that `koa-passport` makes. */
interface PassportRequest extends IncomingMessage {
  originalUrl?: string;
  body?: unknown;
  res?: PassportResponse;
  ctx?: { req: IncomingMessage; res: ServerResponse; request: { body?: unknown } };
}

/** A response of Express, or the one that `koa-passport` makes, which has only some of its methods. */
type PassportResponse = ServerResponse;

function readSettings(options: unknown, verify: unknown): Settings & { flow: LoginFlow } {
  const hooks = ["onLoginError", "showProblem", "showConfirmation"] as const;
  const given = members(options, ["client", "passReqToCallback", "problems", ...hooks, ...FLOW_NAMES]);
  const { passReqToCallback, problems, ...others } = given;
  if (typeof verify !== "function") throw invalidOption("verify is not a function");
  for (const name of OF_SESSIONS) {
    if (name in others) throw invalidOption(`${name} is not an option here: Passport keeps the sessions`);
  }
  const choice = optionalText(problems, "problems");
  if (!["page", "fail", undefined].includes(choice)) throw invalidOption("problems is neither page nor fail");
  const withRequest = flag(passReqToCallback, "passReqToCallback") ?? false;
  const { flow, hooks: read } = readOptions({ ...others, onLogin: () => {} } as never);
  return {
    flow,
    hooks: read as Settings["hooks"],
    problems: choice,
    verify: (request, login) => call(verify as AnyVerify, withRequest ? [request, login] : [login]),
  };
}

type AnyVerify = (...parameters: unknown[]) => unknown;

/** Calls `verify`, which may take `done`, or return the user or a promise. */
function call(verify: AnyVerify, given: unknown[]): Promise<[user: unknown, info: unknown]> {
  return new Promise((resolve, reject) => {
    const done: Done = (error, user, info) => (error ? reject(error) : resolve([user, info]));
    const returns = async (): Promise<void> => {
      const user = await verify(...given, done);
      // A function with `...parameters`, as in @nestjs/passport, may do either.
      if (user !== undefined || verify.length === given.length) resolve([user, undefined]);
    };
    returns().catch(reject);
  });
}

function targetOf({ originalUrl, url }: PassportRequest): string | undefined {
  return originalUrl ?? url;
}

function choiceOf({ failureRedirect, failureMessage, failureFlash, failWithError }: RouteOptions): "page" | "fail" {
  return failureRedirect || failureMessage || failureFlash || failWithError ? "fail" : "page";
}

/** Where a completed login leads: a script gets JSON instead of a redirect. */
function destinationOf({ headers, body }: Reply): string {
  const location = headers.find(([name]) => name === "location")?.[1];
  return location ?? (JSON.parse(body) as { url: string }).url;
}

/** Cookies are set on the response of Node: that of `koa-passport` would replace those of the site. */
function faceOf(raw: ServerResponse): Face<PassportResponse> {
  return {
    prepare(response, status, headers) {
      response.statusCode = status;
      for (const [name, value] of headers) response.setHeader(name, value);
    },
    addCookies(_, cookies) {
      for (const cookie of cookies) raw.appendHeader("Set-Cookie", cookie);
    },
    addCookiesOnceSuccessful(_, cookies) {
      ResponseTracker.of(raw).cookies = cookies;
    },
    send(response, body) {
      response.end(body);
    },
    async runHook(response, name, hook) {
      const tracker = ResponseTracker.of(raw);
      tracker.hook = name;
      const result = await hook(response);
      return { answered: tracker.hasBegun, result };
    },
  };
}
