import type { CallOptions, PortierClient } from "./client.js";
import { FLOW, type ClientFlow } from "./client-flow.js";
import { BrokerError, invalidOption, type PortierError } from "./errors.js";
import { FLOW_NAMES } from "./names.js";
import { native, type NativeFlowOptions } from "./native.js";
import type { Flow } from "./protocol.js";
import { readSessionOptions, type Secret, type Session } from "./session.js";
import type { Problem, Step } from "./step.js";
import { flag, members, optionalText, text, texts } from "./text.js";
import { cookieOf, factsOf, headOf, pageOf, type AnyRequest } from "./web-request.js";

/** What happens where a login ends in another browser than it was started in. */
export type BrowserBinding = "off" | "confirm" | "require";

/** What a site says of its logins. Every option has a default. */
export interface FlowOptions {
  /**
   * The flow of logins. `"auto"`, the default, is the code flow if the broker offers it and the store can
   * hold its data, else the implicit flow.
   */
  flow?: Flow | "auto" | undefined;
  /**
   * What happens where a login ends in another browser than it was started in, as when mail is
   * opened on another device: the person is asked whether to go on (`"confirm"`, the default), it is
   * refused (`"require"`), or nothing is checked (`"off"`), and then an attacker can sign a visitor in
   * as the attacker.
   */
  browserBinding?: BrowserBinding | undefined;
  /** The page with the login form, to which pages about problems lead; `/` by default. */
  loginUrl?: string | undefined;
  /** Where a login leads that did not start from a page to go back to; `/` by default. */
  defaultNext?: string | undefined;
  /** Hosts other than this site that `next` may lead to, over `https` only; none by default. */
  allowedHosts?: readonly string[] | undefined;
  /**
   * Origins to which the broker sends people on at once, for {@link LoginFlow.formPolicy};
   * `https://accounts.google.com` by default.
   */
  identityProviders?: readonly string[] | undefined;
  /**
   * The path of the callback as the site sees it, where a proxy in front changes paths; that of the
   * redirect URI by default.
   */
  callbackPath?: string | undefined;
  /**
   * Whether the site checks a token in every login form before the flow gets it, such as that of a CSRF
   * protection. Then a browser that hides its origin (`Origin: null`) may log in as well.
   */
  formTokenChecked?: boolean | undefined;
  /**
   * The languages of the pages, such as `["de", "en"]`; English alone by default. `Accept-Language`
   * chooses one of them, the first is for everybody else. Built in are `en`, `de`, `fr`, `es`, `it`,
   * `nl`, `pt`, `pl`, `ja` and `zh`.
   */
  languages?: readonly string[] | undefined;
  /**
   * Texts in place of those built in: by language, a text for an id. A language that is not built in
   * needs all of them.
   */
  texts?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
  /**
   * What seals the sessions of the flow: with a secret, a completed login begins a session in a cookie, for
   * which {@link LoginFlow.session}, {@link LoginFlow.requireLogin} and {@link LoginFlow.logout} are. For sites
   * that have no sessions of their own.
   */
  secret?: Secret | undefined;
  /** How long a session lasts without a visit, in seconds; 14 days by default. */
  sessionMaxAge?: number | undefined;
  /** How long a session lasts with visits, in seconds; 90 days by default, 400 at most. */
  sessionAbsoluteMaxAge?: number | undefined;
  /**
   * Says whether a session still counts, for sites that end sessions on their server: those of a person who
   * has signed out everywhere, or of an account that is suspended. It gives `true` or `false`, perhaps by a
   * promise. What it throws goes to the caller.
   */
  accept?: ((session: Session) => boolean | Promise<boolean>) | undefined;
}

/** What belongs to the login form of one request. */
export interface FormOptions extends CallOptions {
  /** As {@link FlowOptions.formTokenChecked}, for this request. */
  formTokenChecked?: boolean | undefined;
}

/**
 * The web side of logins: what happens between a request and its answer, whatever the server.
 *
 * The flow checks where a login form comes from, binds each login to the browser it was started in,
 * completes it, and makes the pages that people see when something is wrong. It takes a `Request` of
 * `fetch`, a request of `node:http`, or a {@link WebRequest}; for Express and Fastify there is more in
 * `portier-client/express` and `portier-client/fastify`.
 *
 * ```js
 * const flow = new LoginFlow(client, { loginUrl: "/login" });
 *
 * export async function handle(request, response) {
 *   if (flow.isCallback(request.url)) {
 *     const step = await flow.callback(request);
 *     if (step.login !== null) response.appendHeader("Set-Cookie", sessionOf(step.login.email));
 *     step.send(response);
 *   } else if (request.method === "POST" && request.url === "/login") {
 *     const step = await flow.login(request);
 *     step.send(response);
 *   }
 * }
 * ```
 */
export class LoginFlow {
  readonly #flow: ClientFlow;
  readonly #accept: FlowOptions["accept"];

  /** Throws {@link ConfigError} for options that cannot work, and for ones that do not exist. */
  constructor(client: PortierClient, options: FlowOptions = {}) {
    // Not `instanceof`: a test runner that resets its modules makes another class of the same name.
    if (typeof Object(client)[FLOW] !== "function") throw invalidOption("client is not a PortierClient");
    const { flowOptions, accept } = readOptions(options);
    this.#flow = client[FLOW](flowOptions);
    this.#accept = accept;
  }

  /**
   * Starts a login: takes the site's form with `email` and, optionally, `next`, and sends the browser to
   * the broker.
   *
   * Forms of other sites are refused: without that any site could have mail sent in this one's name.
   *
   * A login that fails is a {@link Step} with an error, and no rejection.
   */
  async login(request: AnyRequest, options?: FormOptions): Promise<Step> {
    const given = members(options ?? {}, ["formTokenChecked", "signal"]);
    const isChecked = flag(given.formTokenChecked, "formTokenChecked") ?? false;
    const { method, headers, body } = await factsOf(request);
    return this.#flow.run(given.signal, (flow, cancellation) =>
      flow.login(method, headers, isChecked, body, cancellation),
    );
  }

  /**
   * Starts a login for `email`, for a site with a form of another shape. The site reads the form, and
   * checks where it comes from. A `next` that would lead off this site is dropped.
   */
  async start(
    request: Pick<AnyRequest, "method" | "headers">,
    email: string,
    next?: string | null,
    options?: CallOptions,
  ): Promise<Step> {
    const { signal } = members(options ?? {}, ["signal"]);
    const { method, headers } = headOf(request);
    return this.#flow.run(signal, (flow, cancellation) =>
      flow.start(method, headers, textOrNone(email), textOrNone(next), cancellation),
    );
  }

  /**
   * Answers a request to the redirect URI, whatever its method. The broker's answer is the form of a `POST`
   * or, in the code flow, the query of a `GET`. Nothing else completes a login.
   */
  async callback(request: AnyRequest, options?: CallOptions): Promise<Step> {
    const { signal } = members(options ?? {}, ["signal"]);
    const { method, headers, query, body } = await factsOf(request);
    return this.#flow.run(signal, (flow, cancellation) =>
      flow.callback(method, headers, query, body, cancellation),
    );
  }

  /**
   * Gives the session of the person who sends a request, or `null` for everybody else, also where the flow
   * has no `secret`. Set its `renewal`, if there is one, on the answer.
   */
  async session(request: Pick<AnyRequest, "headers">): Promise<Session | null> {
    const session = this.#flow.session(cookieOf(request));
    if (session === null || this.#accept === undefined) return session;
    const accepted: unknown = await this.#accept(session);
    // Something else is a mistake, such as a forgotten `return`.
    if (typeof accepted !== "boolean") throw invalidOption("accept gave neither true nor false");
    return accepted ? session : null;
  }

  /**
   * Answers a request for a page that needs a login, from somebody who is not signed in.
   *
   * A browser is redirected to `loginUrl`, with the page as `next` in its query; a script gets the problem
   * `not_signed_in` (401). `page` is the path and the query of the request, by default as the browser has sent
   * them. Only a `GET` or `HEAD` has a `next`, because a redirect cannot repeat a form.
   */
  requireLogin(request: Pick<AnyRequest, "method" | "headers">, page?: string): Step {
    const { method, headers } = headOf(request);
    return this.#flow.requireLogin(method, headers, textOrNone(page ?? pageOf(request)));
  }

  /**
   * Ends the session in this browser, and redirects it to `loginUrl`. Only a `POST` of this site's own pages
   * does so, by the rule for login forms.
   */
  async logout(
    request: Pick<AnyRequest, "method" | "headers">,
    options?: Pick<FormOptions, "formTokenChecked">,
  ): Promise<Step> {
    const given = members(options ?? {}, ["formTokenChecked"]);
    const isChecked = flag(given.formTokenChecked, "formTokenChecked") ?? false;
    const { method, headers } = headOf(request);
    return this.#flow.run(undefined, (flow) => flow.logout(method, headers, isChecked));
  }

  /**
   * Begins a session outside of a login, for example after a change of address, and gives it with the value of
   * its `Set-Cookie` header. Throws {@link ConfigError} where the flow has no `secret`.
   */
  startSession(email: string): [session: Session, setCookie: string] {
    return this.#flow.startSession(text(email, "e-mail address", "invalid_email"));
  }

  /**
   * Whether a request is for {@link callback}. `target` is that of the request line, as in
   * `request.url`: a path, perhaps with a query, or an absolute URL. The path must be the same to the
   * letter.
   */
  isCallback(target: string | undefined): boolean {
    return target !== undefined && native.targetPath(target) === this.callbackPath;
  }

  /** The path at which the site answers the callback. */
  get callbackPath(): string {
    return this.#flow.facts.callbackPath;
  }

  /**
   * A `Content-Security-Policy` for a page with a login form.
   *
   * Chromium applies `form-action` to every redirect that follows a form. So the broker's origin must
   * be in it, and the origins of the identity providers to which the broker sends people on at once: the
   * public one sends Gmail addresses to Google. Without them the form does nothing, and only the
   * browser's console says why.
   */
  get formPolicy(): string {
    return this.#flow.facts.formPolicy;
  }

  /** The sources that `form-action` needs in a policy of the site's own; see {@link formPolicy}. */
  get formTargets(): readonly string[] {
    return this.#flow.facts.formTargets;
  }

  /** Whether browsers reach the site over `https`, so that its cookies need the flag `Secure`. */
  get isSecure(): boolean {
    return this.#flow.facts.isSecure;
  }

  /** Gives the page as a redirect may use it, or `null` if it would lead off this site. */
  safeNext(page: unknown): string | null {
    return typeof page === "string" && page.isWellFormed() ? this.#flow.safeNext(page) : null;
  }

  /**
   * Puts an error into words, in the language that `acceptLanguage` asks for.
   *
   * Nothing of what came with the request is repeated: anyone can post any `error_description` to
   * the callback, and make the site say it.
   */
  explain(error: PortierError, acceptLanguage?: string | null): Problem {
    const brokerError = error instanceof BrokerError ? (error.error ?? undefined) : undefined;
    return this.#flow.explain(error.code, brokerError, acceptLanguage ?? undefined);
  }
}

/** Checks the types of options; the core checks their values. */
function readOptions(options: unknown): { flowOptions: NativeFlowOptions; accept: FlowOptions["accept"] } {
  const given = members(options, FLOW_NAMES);
  const accept = given.accept ?? undefined;
  if (accept !== undefined && typeof accept !== "function") throw invalidOption("accept is not a function");
  const flowOptions: NativeFlowOptions = {
    flow: optionalText(given.flow, "flow"),
    browserBinding: optionalText(given.browserBinding, "browserBinding"),
    loginUrl: optionalText(given.loginUrl, "loginUrl"),
    defaultNext: optionalText(given.defaultNext, "defaultNext"),
    allowedHosts: texts(given.allowedHosts, "allowedHosts"),
    identityProviders: texts(given.identityProviders, "identityProviders"),
    callbackPath: optionalText(given.callbackPath, "callbackPath"),
    formTokenChecked: flag(given.formTokenChecked, "formTokenChecked"),
    languages: texts(given.languages, "languages"),
    texts: pagesTexts(given.texts),
    session: sessionOptions(given),
  };
  return { flowOptions, accept: accept as FlowOptions["accept"] };
}

function sessionOptions(given: { [name in (typeof FLOW_NAMES)[number]]?: unknown }): NativeFlowOptions["session"] {
  const { secret, accept, sessionMaxAge: maxAge, sessionAbsoluteMaxAge: absoluteMaxAge } = given;
  if (secret !== undefined && secret !== null) return readSessionOptions(secret, { maxAge, absoluteMaxAge });
  if ((maxAge ?? absoluteMaxAge ?? accept ?? undefined) === undefined) return undefined;
  throw invalidOption("secret is missing: without one there are no sessions");
}

function pagesTexts(value: unknown): NativeFlowOptions["texts"] {
  if (value === undefined || value === null) return undefined;
  return entries(value).map(([language, texts]) => [
    language,
    entries(texts).map(([id, words]) => [id, text(words, "texts", "invalid_option")]),
  ]);
}

function entries(value: unknown): [string, unknown][] {
  if (typeof value === "object" && value !== null) return Object.entries(value);
  throw invalidOption("texts is not an object of texts by language and id");
}

/** What is no text is no address, and no page, either. */
function textOrNone(value: unknown): string {
  return typeof value === "string" && value.isWellFormed() ? value : "";
}
