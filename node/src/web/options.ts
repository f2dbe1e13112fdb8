import type { PortierClient } from "../client.js";
import { invalidOption, type PortierError } from "../errors.js";
import type { Login } from "../login.js";
import { keepsNoncesOnly } from "../store/custom.js";
import { members, optionalText, text } from "../text.js";
import { BINDINGS, type BrowserBinding } from "./binding.js";
import type { Confirmation } from "./confirmation.js";
import type { Problem } from "./problems.js";

/** What a site says of its logins. Only `client` and `onLogin` are needed. */
export interface LoginOptions<Request, Response> {
  /** The client to log in with. The path of its redirect URI is the one that is answered. */
  client: PortierClient;
  /**
   * Signs in the person who owns `login.email`: sets the site's cookie. May be `async`.
   *
   * A site that keeps sessions on its server begins a new one here, and never goes on with the one
   * from before. Afterwards the browser is redirected to the page to go back to, unless this has
   * answered the request.
   */
  onLogin: (login: Login, request: Request, response: Response) => unknown;
  /**
   * Acts on a failed login. May be `async`. Afterwards the page about the problem is sent, unless
   * this has answered the request.
   */
  onLoginError?:
    | ((error: PortierError, request: Request, response: Response) => unknown)
    | undefined;
  /**
   * Gives a page about a problem in the looks of the site, as HTML, or answers the request itself.
   * Status and headers are set already.
   */
  showProblem?:
    | ((problem: Problem, request: Request, response: Response) => unknown)
    | undefined;
  /**
   * What happens where a login ends in another browser than it was started in, as when mail is
   * opened on another device: the person is asked whether to go on (`"confirm"`, the default), it is
   * refused (`"require"`), or nobody looks (`"off"`), and then an attacker can sign a visitor in as
   * the attacker.
   */
  browserBinding?: BrowserBinding | undefined;
  /**
   * Gives the page that asks whether to sign in, in this browser, the person named there, in the
   * looks of the site, as HTML, or answers the request itself. Status and headers are set already.
   *
   * It needs a form that posts the fields to the address of the page, once and only when a person
   * says so, and a `Content-Security-Policy` that forbids frames.
   */
  showConfirmation?:
    | ((confirmation: Confirmation, request: Request, response: Response) => unknown)
    | undefined;
  /** The page with the login form, to which pages about problems lead; `/` by default. */
  loginUrl?: string | undefined;
  /** Where a login leads that did not start from a page to go back to; `/` by default. */
  defaultNext?: string | undefined;
  /** Hosts other than this site that `next` may lead to, over `https` only; none by default. */
  allowedHosts?: readonly string[] | undefined;
}

/** The options, with those that were not given. */
export interface Site<Request, Response> {
  readonly client: PortierClient;
  readonly onLogin: LoginOptions<Request, Response>["onLogin"];
  readonly onLoginError: LoginOptions<Request, Response>["onLoginError"];
  readonly showProblem: LoginOptions<Request, Response>["showProblem"];
  readonly browserBinding: BrowserBinding;
  readonly showConfirmation: LoginOptions<Request, Response>["showConfirmation"];
  readonly loginUrl: string;
  readonly defaultNext: string;
  readonly allowedHosts: readonly string[];
}

const NAMES = [
  "client",
  "onLogin",
  "onLoginError",
  "showProblem",
  "browserBinding",
  "showConfirmation",
  "loginUrl",
  "defaultNext",
  "allowedHosts",
] as const;

/** Checks options, so that a mistake shows when the site starts and not at its first login. */
export function readOptions<Request, Response>(
  options: LoginOptions<Request, Response>,
): Site<Request, Response> {
  const given = members(options, NAMES);
  const onLogin = hook<LoginOptions<Request, Response>["onLogin"]>(given.onLogin, "onLogin");
  if (onLogin === undefined) throw invalidOption("onLogin is missing: it signs people in");
  return {
    client: client(given.client),
    onLogin,
    onLoginError: hook(given.onLoginError, "onLoginError"),
    showProblem: hook(given.showProblem, "showProblem"),
    browserBinding: binding(given.browserBinding, client(given.client)),
    showConfirmation: hook(given.showConfirmation, "showConfirmation"),
    loginUrl: optionalText(given.loginUrl, "loginUrl") ?? "/",
    defaultNext: optionalText(given.defaultNext, "defaultNext") ?? "/",
    allowedHosts: hosts(given.allowedHosts),
  };
}

function client(value: unknown): PortierClient {
  // Not `instanceof`: a test runner that resets its modules makes another class of the same name.
  const complete: unknown = Reflect.get(Object(value), "complete");
  if (typeof complete !== "function") throw invalidOption("client is not a PortierClient");
  return value as PortierClient;
}

// What a hook takes is for the caller to know: its type is that of the option.
function hook<Hook>(value: unknown, name: string): Hook | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "function") throw invalidOption(`${name} is not a function`);
  return value as Hook;
}

function binding(value: unknown, { store }: PortierClient): BrowserBinding {
  const found = BINDINGS.find((known) => known === (value ?? "confirm"));
  if (found === undefined) throw invalidOption(`browserBinding is none of ${BINDINGS.join(", ")}`);
  if (found !== "off" && keepsNoncesOnly(store)) {
    throw invalidOption("an AbstractStore binds no login to a browser: set browserBinding to off");
  }
  return found;
}

function hosts(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalidOption("allowedHosts is not an array of strings");
  return Array.from(value, (host) => text(host, "allowedHosts", "invalid_option"));
}
