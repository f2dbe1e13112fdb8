import type { PortierClient } from "../client.js";
import { invalidOption, type PortierError } from "../errors.js";
import type { Login } from "../login.js";
import { LoginFlow, type FlowOptions } from "../login-flow.js";
import { FLOW_NAMES } from "../names.js";
import type { Secret } from "../session.js";
import type { Confirmation, Problem } from "../step.js";
import { members } from "../text.js";

/**
 * What a site does in the course of a login. Each may be `async`, and may answer the request itself. It
 * has to do so before it returns, or before its promise settles: what comes later is not sent, and a
 * warning says so (`PORTIER_LATE_ANSWER`).
 */
export interface Hooks<Request, Response> {
  /**
   * Signs in the person who owns `login.email`: sets the site's cookie. Afterwards the browser is
   * redirected to the page to go back to, unless this has answered the request. If it throws, nobody is
   * signed in, and the error goes to the framework. With a `secret` it is optional, since the session then
   * begins by itself, unless this throws or answers with an error.
   *
   * A site that keeps sessions on its server begins a new one here, and never goes on with the one
   * from before. One that has to be stored first is waited for by a promise: `new Promise((resolve,
   * reject) => request.session.save((error) => (error ? reject(error) : resolve())))`.
   */
  onLogin?: ((login: Login, request: Request, response: Response) => unknown) | undefined;
  /** Acts on a failed login. Afterwards the page about the problem is sent, unless this has answered. */
  onLoginError?:
    | ((error: PortierError, request: Request, response: Response) => unknown)
    | undefined;
  /**
   * Gives a page about a problem in the looks of the site, as HTML. Status and headers are set already.
   * The page of this package is sent where it gives none and has not answered.
   */
  showProblem?:
    | ((problem: Problem, request: Request, response: Response) => unknown)
    | undefined;
  /**
   * Gives the page that asks whether to sign in, in this browser, the person named there, in the
   * looks of the site, as HTML. Status and headers are set already. The page of this package is sent
   * where it gives none and has not answered.
   *
   * It needs a form that posts the fields to the address of the page, once and only when a person
   * says so, and a `Content-Security-Policy` that forbids frames.
   */
  showConfirmation?:
    | ((confirmation: Confirmation, request: Request, response: Response) => unknown)
    | undefined;
}

/** What a site says of its logins. Only `client`, and `onLogin` or `secret`, are needed. */
export type LoginOptions<Request, Response> = LoginSettings<Request, Response> &
  (Required<Pick<Hooks<Request, Response>, "onLogin">> | { secret: Secret });

/** The same, whichever of the two is given. */
interface LoginSettings<Request, Response> extends FlowOptions, Hooks<Request, Response> {
  /** The client to log in with. */
  client: PortierClient;
}

const HOOKS = ["onLogin", "onLoginError", "showProblem", "showConfirmation"] as const;

/** Checks options, so that a mistake shows when the site starts and not at its first login. */
export function readOptions<Request, Response>(
  options: LoginOptions<Request, Response>,
): { flow: LoginFlow; hooks: Hooks<Request, Response> } {
  const { client, ...others } = members(options, ["client", ...HOOKS, ...FLOW_NAMES]);
  const { onLogin, onLoginError, showProblem, showConfirmation, ...flowOptions } = others;
  const hooks: { [name in (typeof HOOKS)[number]]: unknown } = { onLogin, onLoginError, showProblem, showConfirmation };
  if ((onLogin ?? flowOptions.secret ?? undefined) === undefined) {
    throw invalidOption("onLogin is missing: it signs people in; or give a secret, for sessions in a cookie");
  }
  for (const name of HOOKS) {
    if (typeof (hooks[name] ?? readOptions) !== "function") throw invalidOption(`${name} is not a function`);
  }
  const flow = new LoginFlow(client as PortierClient, flowOptions as FlowOptions);
  // What a hook takes is for the caller to know: its type is that of the option.
  return { flow, hooks: hooks as Hooks<Request, Response> };
}

/**
 * Gives a `Content-Security-Policy` for a page with a login form; see {@link LoginFlow.formPolicy}.
 *
 * ```js
 * response.set("Content-Security-Policy", loginPolicy(client));
 * ```
 */
export function loginPolicy(
  client: PortierClient,
  options: Pick<FlowOptions, "identityProviders"> = {},
): string {
  const { identityProviders } = members(options, ["identityProviders"]) as typeof options;
  return new LoginFlow(client, { identityProviders, browserBinding: "off" }).formPolicy;
}

/** The flags {@link cookieFlags} gives. */
export interface CookieFlags {
  httpOnly: true;
  path: "/";
  sameSite: "lax";
  secure: boolean;
}

/**
 * Gives flags for the cookie that keeps a person signed in, as `response.cookie` of Express and
 * `reply.setCookie` of `@fastify/cookie` take them.
 *
 * `Lax`, because the login arrives from the broker's site: a `Strict` cookie would be missing on
 * the page that follows. `Secure` behind `https`.
 */
export function cookieFlags(client: PortierClient): CookieFlags {
  return { httpOnly: true, path: "/", sameSite: "lax", secure: client.redirectUri.startsWith("https:") };
}
