import type { IncomingMessage, ServerResponse } from "node:http";

import type { PortierClient } from "../client.js";
import { invalidOption } from "../errors.js";
import type { Login } from "../login.js";
import type { FlowOptions, LoginFlow } from "../login-flow.js";
import { FLOW_NAMES } from "../names.js";
import { flag, members, optionalText } from "../text.js";
import { readOptions, type Hooks } from "./options.js";

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

/** The settings of a strategy. */
export interface Settings {
  hooks: Hooks<[PassportRequest, PassportResponse]>;
  problems: string | undefined;
  verify(request: PassportRequest, login: Login): Promise<[user: unknown, info: unknown]>;
}

/** A request of Express, or the one that `koa-passport` makes. */
export interface PassportRequest extends IncomingMessage {
  originalUrl?: string;
  body?: unknown;
  res?: PassportResponse;
  ctx?: { req: IncomingMessage; res: ServerResponse; request: { body?: unknown } };
}

/** A response of Express, or the one that `koa-passport` makes, which has only some of its methods. */
export type PassportResponse = ServerResponse;

/** Checks the options and the function of a strategy. */
export function readSettings(options: unknown, verify: unknown): Settings & { flow: LoginFlow } {
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
