import type { CallOptions, PortierClient } from "./client.js";
import { FLOW, type ClientFlow } from "./client-flow.js";
import { BrokerError, invalidOption, type PortierError } from "./errors.js";
import { FLOW_NAMES } from "./names.js";
import type { NativeFlowOptions } from "./native.js";
import type { Flow } from "./protocol.js";
import { readSessionOptions, type Secret, type Session } from "./session.js";
import type { Problem, Step } from "./step.js";
import { flag, members, membersIfAny, optionalText, text, texts } from "./text.js";
import { cookiesOf, factsOf, headOf, pageOf, pathOfTarget, type AnyRequest } from "./web-request.js";

/** What happens if a login ends in another browser than it was started in. */
export type BrowserBinding = "off" | "confirm" | "require";

/** The name of a function of a client that is called with each flow that is made from it. */
export const ON_FLOW = Symbol.for("portier-client.on-flow");

type OnFlow = (flow: LoginFlow) => void;

/** The options of a {@link LoginFlow}. Every option has a default. */
export interface FlowOptions {
  /**
   * The flow of logins. `"auto"`, the default, is the code flow if the broker offers it and the store can keep its
   * data, else the implicit flow.
   */
  flow?: Flow | "auto" | undefined;
  /**
   * What happens if a login ends in another browser than it was started in, for example because the person opened
   * the mail on another device. With `"confirm"`, the default, the person is asked whether to continue. With
   * `"require"` the login is refused. With `"off"` nothing is checked, and an attacker can sign visitors in as the
   * attacker.
   */
  browserBinding?: BrowserBinding | undefined;
  /**
   * The page with the login form, to which the pages about problems link: a path on this site, as browsers see it, or
   * an absolute URL. By default `/`, below the prefix that `callbackPath` shows.
   */
  loginUrl?: string | undefined;
  /**
   * The redirect target if `next` is absent: a path on this site, as browsers see it, or an absolute URL. By default
   * `/`, below the prefix that `callbackPath` shows.
   */
  defaultNext?: string | undefined;
  /** Hosts other than this site that `next` may lead to, over `https` only; none by default. */
  allowedHosts?: readonly string[] | undefined;
  /**
   * The origins of the identity providers to which the broker redirects, for {@link LoginFlow.formPolicy};
   * `https://accounts.google.com` by default.
   */
  identityProviders?: readonly string[] | undefined;
  /**
   * The path of the callback as the site receives it, if a proxy changes paths; by default the path of the
   * redirect URI. What precedes it there is the prefix that the proxy strips.
   */
  callbackPath?: string | undefined;
  /**
   * Whether the site checks a CSRF token in every login form before the flow gets it. Then a browser that hides its
   * origin (`Origin: null`) is accepted.
   */
  formTokenChecked?: boolean | undefined;
  /**
   * The languages of the pages, such as `["de", "en"]`; only English by default. `Accept-Language` selects one of
   * them; the first is the default. Built in are `en`, `de`, `fr`, `es`, `it`, `nl`, `pt`, `pl`, `ja` and `zh`.
   */
  languages?: readonly string[] | undefined;
  /**
   * Texts that replace those built in: for each language, texts by their ids. A language that is not built in needs
   * all texts.
   */
  texts?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
  /**
   * The secret that seals the sessions of the flow. With a secret, a completed login begins a session in a cookie. Use
   * it with {@link LoginFlow.session}, {@link LoginFlow.requireLogin} and {@link LoginFlow.logout}. For sites without
   * their own sessions.
   */
  secret?: Secret | undefined;
  /** How long a session lasts without a visit, in seconds; 14 days by default. */
  sessionMaxAge?: number | undefined;
  /** How long a session lasts with visits, in seconds; 90 days by default, 400 at most. */
  sessionAbsoluteMaxAge?: number | undefined;
  /**
   * Returns whether a session is still valid: `true` or `false`, or a promise. With it, a site can end sessions on its
   * server, for example of a suspended account. An exception is passed on to the caller.
   */
  accept?: ((session: Session) => boolean | Promise<boolean>) | undefined;
}

/** The options of a single login form. */
export interface FormOptions extends CallOptions {
  /** As {@link FlowOptions.formTokenChecked}, for this request. */
  formTokenChecked?: boolean | undefined;
}

/**
 * The web side of logins, for every server: it takes requests and returns responses.
 *
 * The flow checks where a login form comes from, binds each login to the browser that started it, completes it, and
 * makes the pages about problems. It takes a `Request` of `fetch`, a request of `node:http`, or a {@link WebRequest}.
 * For Express and Fastify, use `portier-client/express` and `portier-client/fastify`.
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

  /** Throws {@link ConfigError} for invalid and unknown options. */
  constructor(client: PortierClient, options: FlowOptions = {}) {
    // Not `instanceof`: a test runner that resets its modules creates another class of the same name.
    if (typeof Object(client)[FLOW] !== "function") throw invalidOption("client is not a PortierClient");
    const { flowOptions, accept } = readOptions(options);
    this.#flow = client[FLOW](flowOptions);
    this.#accept = accept;
    (client as { [ON_FLOW]?: OnFlow })[ON_FLOW]?.(this);
  }

  /**
   * Starts a login: takes the site's form with `email` and, optionally, `next`, and redirects the browser to the
   * broker.
   *
   * Forms of other sites are refused. Otherwise any site could send mail in the name of this site.
   *
   * If the login fails, the {@link Step} has an error; the promise does not reject.
   */
  async login(request: AnyRequest, options?: FormOptions): Promise<Step> {
    const given = membersIfAny(options, ["formTokenChecked", "signal"]);
    const isChecked = flag(given.formTokenChecked, "formTokenChecked") ?? false;
    const facts = factsOf(request);
    const { head, body } = facts instanceof Promise ? await facts : facts;
    return this.#flow.run(given.signal, (flow, cancellation) =>
      flow.login(head, isChecked, body, cancellation),
    );
  }

  /**
   * Starts a login for `email`, for a site whose form has other fields. The site reads the form, and checks where it
   * comes from. A `next` that would leave the site is dropped.
   */
  async start(
    request: Pick<AnyRequest, "method" | "headers">,
    email: string,
    next?: string | null,
    options?: CallOptions,
  ): Promise<Step> {
    const { signal } = membersIfAny(options, ["signal"]);
    const head = headOf(request);
    return this.#flow.run(signal, (flow, cancellation) =>
      flow.start(head, textOrNone(email), textOrNone(next), cancellation),
    );
  }

  /**
   * Answers a request to the redirect URI, of any method. A login is completed by the form of a `POST` or, in the code
   * flow, by the query of a `GET`.
   */
  async callback(request: AnyRequest, options?: CallOptions): Promise<Step> {
    const { signal } = membersIfAny(options, ["signal"]);
    const facts = factsOf(request);
    const { head, query, body } = facts instanceof Promise ? await facts : facts;
    return this.#flow.run(signal, (flow, cancellation) => flow.callback(head, query, body, cancellation), head);
  }

  /**
   * Returns the session of a request; `null` if nobody is signed in, or without the option `secret`. If it has a
   * `renewal`, add that to the response.
   */
  async session(request: Pick<AnyRequest, "headers">): Promise<Session | null> {
    const session = this.#flow.session(cookiesOf(request));
    if (session === null || this.#accept === undefined) return session;
    const accepted: unknown = await this.#accept(session);
    // Another value is a mistake, such as a missing `return`.
    if (typeof accepted !== "boolean") throw invalidOption("accept gave neither true nor false");
    return accepted ? session : null;
  }

  /**
   * Answers a request for a page that requires a login, if nobody is signed in.
   *
   * A browser is redirected to `loginUrl`, with the page as `next` in its query. A script gets the problem
   * `not_signed_in` (401), and htmx is sent to `loginUrl` with the page that it runs on. `page` is the path and the query
   * of the request, by default as the browser sent them. Only `GET` and `HEAD` have a `next`, because a redirect cannot
   * repeat a form.
   *
   * Throws {@link ConfigError} (`invalid_option`) if the page is the login page: it requires a login itself, so that
   * browsers would be redirected without end.
   */
  requireLogin(request: Pick<AnyRequest, "method" | "headers">, page?: string): Step {
    const step = this.#flow.requireLogin(headOf(request), textOrNone(page ?? pageOf(request)));
    if (step.error !== null) throw step.error;
    return step;
  }

  /**
   * Ends the session in this browser, and redirects to `loginUrl`. Only a `POST` of a page of this site is accepted, as
   * for login forms.
   */
  async logout(
    request: Pick<AnyRequest, "method" | "headers">,
    options?: Pick<FormOptions, "formTokenChecked">,
  ): Promise<Step> {
    const given = membersIfAny(options, ["formTokenChecked"]);
    const isChecked = flag(given.formTokenChecked, "formTokenChecked") ?? false;
    const head = headOf(request);
    return this.#flow.run(undefined, (flow) => flow.logout(head, isChecked));
  }

  /**
   * Answers a health check, for a load balancer or a monitoring system. The status is 503 if this process has never been
   * able to serve a login, else 200. The body is that of {@link PortierClient.health}, as JSON.
   */
  async health(request: Pick<AnyRequest, "method" | "headers">): Promise<Step> {
    const head = headOf(request);
    return this.#flow.run(undefined, (flow) => flow.health(head));
  }

  /**
   * Begins a session outside of a login, for example after a change of address. Returns it, and the value of its
   * `Set-Cookie` header. Throws {@link ConfigError} without the option `secret`.
   */
  startSession(email: string): [session: Session, setCookie: string] {
    return this.#flow.startSession(text(email, "e-mail address", "invalid_email"));
  }

  /**
   * Whether a request is for {@link callback}. `target` is the target of the request line, as in `request.url`: a path,
   * with or without a query, or an absolute URL. The path must match exactly.
   */
  isCallback(target: string | undefined): boolean {
    return target !== undefined && pathOfTarget(target) === this.callbackPath;
  }

  /** The path of the callback, as the site receives it. */
  get callbackPath(): string {
    return this.#flow.facts.callbackPath;
  }

  /**
   * A `Content-Security-Policy` for a page with a login form.
   *
   * Chromium applies `form-action` to every redirect after a form is sent. So the policy lists the broker, and the
   * identity providers to which the broker redirects immediately: the public broker redirects Gmail addresses to
   * Google. Without them the form does nothing, and only the browser's console says why.
   */
  get formPolicy(): string {
    return this.#flow.facts.formPolicy;
  }

  /** The sources to add to `form-action` of the site's own policy; see {@link formPolicy}. */
  get formTargets(): readonly string[] {
    return this.#flow.facts.formTargets;
  }

  /** Whether browsers reach the site over `https`, so that its cookies need the flag `Secure`. */
  get isSecure(): boolean {
    return this.#flow.facts.isSecure;
  }

  /**
   * Returns the page to redirect to, or `null` if a redirect to it could leave the site. A URL of this site becomes its
   * path, with the query and the fragment.
   */
  safeNext(page: unknown): string | null {
    return typeof page === "string" && page.isWellFormed() ? this.#flow.safeNext(page) : null;
  }

  /**
   * Explains an error to the person, in a language of `acceptLanguage`.
   *
   * The text contains nothing of the request: otherwise anyone could make the site show any text, by posting an
   * `error_description` to the callback.
   */
  explain(error: PortierError, acceptLanguage?: string | null): Problem {
    const brokerError = error instanceof BrokerError ? (error.error ?? undefined) : undefined;
    return this.#flow.explain(error.code, brokerError, acceptLanguage ?? undefined);
  }
}

/**
 * The policy for pages with a login form; see {@link LoginFlow.formPolicy}. Sites ask for it with each response, so its
 * flow is kept.
 *
 * @internal
 */
export function formPolicyOf(client: PortierClient, identityProviders: unknown): string {
  const providers = texts(identityProviders, "identityProviders");
  const flows = POLICY_FLOWS.get(client) ?? new Map<string, ClientFlow>();
  const key = JSON.stringify(providers ?? null);
  let flow = flows.get(key);
  if (flow === undefined) {
    const { flowOptions } = readOptions({ identityProviders: providers, browserBinding: "off" });
    flow = client[FLOW](flowOptions, false);
    if (flows.size >= MAX_POLICIES) flows.clear();
    POLICY_FLOWS.set(client, flows.set(key, flow));
  }
  return flow.facts.formPolicy;
}

const MAX_POLICIES = 64;
const POLICY_FLOWS = new WeakMap<PortierClient, Map<string, ClientFlow>>();

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

/** The string, or an empty one for every other value. */
function textOrNone(value: unknown): string {
  return typeof value === "string" && value.isWellFormed() ? value : "";
}
