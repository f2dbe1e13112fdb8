import type { PortierClient } from "../client.js";
import { invalidOption, type PortierError } from "../errors.js";
import type { Login } from "../login.js";
import { formPolicyOf, LoginFlow, type FlowOptions } from "../login-flow.js";
import { FLOW_NAMES } from "../names.js";
import type { Secret } from "../session.js";
import type { Confirmation, Problem } from "../step.js";
import { members } from "../text.js";

/**
 * The hooks of a site. Each may be `async`, and may respond to the request itself. It must do so before it returns, or
 * before its promise settles. A later response is not sent, and causes the warning `PORTIER_LATE_ANSWER`.
 *
 * `Arguments` are what a hook gets beside its subject: the request and the response of the framework. `Answer` is what it
 * may return.
 */
export interface Hooks<Arguments extends unknown[], Answer = unknown> {
  /**
   * Signs in the person who owns `login.email`, usually by setting a cookie. Then the browser is redirected to `next`,
   * unless the hook has responded. If it throws, nobody is signed in, and the framework handles the error. With a
   * `secret` the hook is optional: the session begins unless the hook throws or responds with an error.
   *
   * A site with sessions on its server begins a new session here, and never continues the previous one. To wait until
   * the session is stored, return a promise: `new Promise((resolve, reject) => request.session.save((error) => (error ?
   * reject(error) : resolve())))`.
   */
  onLogin?: ((login: Login, ...rest: Arguments) => Answer | Promise<Answer>) | undefined;
  /** Runs after a failed login. Then the page about the problem is sent, unless the hook has responded. */
  onLoginError?: ((error: PortierError, ...rest: Arguments) => Answer | Promise<Answer>) | undefined;
  /**
   * Returns the site's own page about a problem, as HTML. Status and headers are already set. If it returns nothing and
   * does not respond, the page of this package is sent.
   */
  showProblem?: ((problem: Problem, ...rest: Arguments) => Page<Answer>) | undefined;
  /**
   * Returns the site's own page that asks whether to sign in in this browser, as HTML. Status and headers are already
   * set. If it returns nothing and does not respond, the page of this package is sent.
   *
   * The page needs a form that posts the fields to the address of the page, once, and only if the person agrees. It also
   * needs a `Content-Security-Policy` that forbids frames.
   */
  showConfirmation?: ((confirmation: Confirmation, ...rest: Arguments) => Page<Answer>) | undefined;
}

type Page<Answer> = Answer | string | Promise<Answer | string>;

/** The options of the integrations. Only `client`, and `onLogin` or `secret`, are required. */
export type LoginOptions<Arguments extends unknown[], Answer = unknown> = LoginSettings<Arguments, Answer> &
  (Required<Pick<Hooks<Arguments, Answer>, "onLogin">> | { secret: Secret });

/** The options, whether `onLogin` or `secret` is given. */
interface LoginSettings<Arguments extends unknown[], Answer> extends FlowOptions, Hooks<Arguments, Answer> {
  /** The client to log in with. */
  client: PortierClient;
}

const HOOKS = ["onLogin", "onLoginError", "showProblem", "showConfirmation"] as const;

/** Checks the options, so that a mistake is found when the site starts, not at its first login. */
export function readOptions<Arguments extends unknown[], Answer>(
  options: LoginOptions<Arguments, Answer>,
): { flow: LoginFlow; hooks: Hooks<Arguments, Answer>; hasSessions: boolean } {
  const { client, ...others } = members(options, ["client", ...HOOKS, ...FLOW_NAMES]);
  const { onLogin, onLoginError, showProblem, showConfirmation, ...flowOptions } = others;
  const hooks: { [name in (typeof HOOKS)[number]]: unknown } = { onLogin, onLoginError, showProblem, showConfirmation };
  if ("secret" in flowOptions && flowOptions.secret === undefined) {
    throw invalidOption("secret is undefined: is its variable of the environment set? Without sessions, leave it out");
  }
  if ((onLogin ?? flowOptions.secret ?? undefined) === undefined) {
    throw invalidOption("onLogin is missing, which signs people in; or give a secret, for sessions in a cookie");
  }
  for (const name of HOOKS) {
    if (typeof (hooks[name] ?? readOptions) !== "function") throw invalidOption(`${name} is not a function`);
  }
  const flow = new LoginFlow(client as PortierClient, flowOptions as FlowOptions);
  // The type of the option determines the arguments of the hooks.
  const hasSessions = (flowOptions.secret ?? undefined) !== undefined;
  return { flow, hooks: hooks as Hooks<Arguments, Answer>, hasSessions };
}

/**
 * Returns a `Content-Security-Policy` for a page with a login form; see {@link LoginFlow.formPolicy}.
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
  return formPolicyOf(client, identityProviders);
}

/** The flags that {@link cookieFlags} returns. */
export interface CookieFlags {
  httpOnly: true;
  path: "/";
  sameSite: "lax";
  secure: boolean;
}

/**
 * Returns the flags for the session cookie of the site, for `response.cookie` of Express and `reply.setCookie` of
 * `@fastify/cookie`.
 *
 * `SameSite` is `Lax`: the browser comes from the broker's site, and would not send a `Strict` cookie to the next page.
 * `Secure` is set if the redirect URI is `https`.
 */
export function cookieFlags(client: PortierClient): CookieFlags {
  return { httpOnly: true, path: "/", sameSite: "lax", secure: client.redirectUri.startsWith("https:") };
}
