import { inspect } from "node:util";

import { trustExtraAuthorities } from "./authorities.js";
import { call, opened, unwrap } from "./call.js";
import { callbackPairs, type CallbackParams } from "./callback.js";
import { ClientFlow, FLOW } from "./client-flow.js";
import { ClientSessionCookie, SESSION_COOKIE } from "./client-session.js";
import type { Health } from "./health.js";
import { Login } from "./login.js";
import {
  native,
  type NativeClient,
  type NativeFlowOptions,
  type NativeOptions,
  type NativeSessionOptions,
} from "./native.js";
import { number, readOptions, type PortierClientOptions } from "./options.js";
import { completions } from "./completions.js";
import { doubtOfMemoryStore, warnOfMemoryStore } from "./processes.js";
import type { Key, ResponseMode } from "./protocol.js";
import type { Stats } from "./stats.js";
import { nativeStore, type AnyStore } from "./store/built-in.js";
import { membersIfAny, optionalText, text } from "./text.js";

export type { CallbackParams } from "./callback.js";

/** The options of every call. */
export interface CallOptions {
  /**
   * Aborts the call while it waits. The login is then not completed, and can be tried again, unless the store was
   * already consuming it.
   */
  signal?: AbortSignal | undefined;
}

/** The options of {@link PortierClient.authenticate}. */
export interface AuthenticateOptions extends CallOptions {
  /** A text that travels through the browser, and is untrusted when it comes back; at most 4 KiB. */
  state?: string | null | undefined;
  /** A text of the application, kept in the store until the login completes; at most 4 KiB. */
  session?: string | null | undefined;
  /**
   * A secret that only this browser knows, at least 128 random bits. The login can then be completed only with it, or
   * after the person confirms.
   */
  browser?: string | null | undefined;
}

/** The options of {@link PortierClient.complete}. */
export interface CompleteOptions extends CallOptions {
  /** The secret of this browser, if logins are bound to browsers. */
  browser?: string | null | undefined;
  /**
   * The `confirmation` of a {@link BrowserMismatch} for the same token and secret, once the person has agreed to
   * continue in this browser.
   */
  confirmation?: string | null | undefined;
}

/** The name of the method that returns the addon's part of a client. */
export const NATIVE = Symbol.for("portier-client.native");

const DEFAULT_LEEWAY_MS = 180_000;

/**
 * A client of a Portier broker: starts logins and completes them.
 *
 * Create one client and keep it, because it caches the broker's documents. It fetches nothing before the first login.
 * Only a pending call keeps the process alive.
 *
 * ```js
 * const client = new PortierClient({ redirectUri: "https://example.com/verify" });
 * const url = await client.authenticate("alice@example.com");
 * // Redirect the browser to it with status 303; it comes back with a token.
 * const email = await client.verify(idToken);
 * ```
 */
export class PortierClient {
  #options: NativeOptions;
  #native: NativeClient | undefined;
  readonly #store: AnyStore;
  readonly #create: Create;
  /** Why the memory store seems to be a mistake, until the warning. */
  #doubt: string | undefined;

  /** Throws {@link ConfigError} for invalid and unknown options. */
  constructor(options: PortierClientOptions);
  /** @internal */
  constructor(options: PortierClientOptions, create: Create);
  constructor(options: PortierClientOptions, make = create) {
    const { native, store } = readOptions(options);
    this.#store = store;
    this.#create = make;
    this.#native = make(native, store);
    this.#options = { ...native, redirectUri: this.#native.redirectUri };
    this.#doubt = this.#native.hasLocalStore ? doubtOfMemoryStore(this) : undefined;
    // The flow of a client without a store may seal its logins.
    if (native.hasStore) this.#warn();
  }

  /** The redirect URI, as the URL parser writes it. */
  get redirectUri(): string {
    return this.#options.redirectUri;
  }

  /** Changes the setting. As for all settings, calls in progress continue with the old value. */
  set redirectUri(uri: string) {
    this.#change({ redirectUri: text(uri, "redirectUri", "invalid_option") });
  }

  /** The origin of the redirect URI, by which the broker knows this site. */
  get clientId(): string {
    return this.#open.clientId;
  }

  /** The broker's origin. */
  get broker(): string {
    return this.#open.broker;
  }

  set broker(origin: string) {
    this.#change({ broker: text(origin, "broker", "invalid_option") });
  }

  /** How the broker returns the token. */
  get responseMode(): ResponseMode {
    return this.#options.responseMode ?? "form_post";
  }

  set responseMode(mode: ResponseMode) {
    this.#change({ responseMode: text(mode, "responseMode", "invalid_option") as ResponseMode });
  }

  /** How much the broker's clock may differ, in milliseconds. */
  get leewayMs(): number {
    return this.#options.leeway ?? DEFAULT_LEEWAY_MS;
  }

  set leewayMs(milliseconds: number) {
    this.#change({ leeway: number(milliseconds, "leewayMs") });
  }

  /** The same as {@link leewayMs}. */
  get leeway(): number {
    return this.leewayMs;
  }

  set leeway(milliseconds: number) {
    this.leewayMs = milliseconds;
  }

  /** The store of pending logins. */
  get store(): AnyStore {
    return this.#store;
  }

  /**
   * Starts a login, and returns the URL to redirect the browser to, with status 303.
   *
   * `email` is the address that the person typed; with `null`, the broker asks for it. The second argument is the
   * state, or an object of options.
   *
   * Rejects with {@link InvalidEmail}, {@link ConfigError}, {@link BrokerUnavailable} or
   * {@link StoreError}.
   */
  async authenticate(
    email: string | null,
    options?: string | AuthenticateOptions | null,
  ): Promise<string> {
    const typed = email === null ? null : text(email, "e-mail address", "invalid_email");
    const given = membersIfAny(typeof options === "string" ? { state: options } : options, [
      "state",
      "session",
      "browser",
      "signal",
    ]);
    if (this.#doubt !== undefined) this.#warn();
    const state = optionalText(given.state, "state");
    const session = optionalText(given.session, "session");
    const browser = optionalText(given.browser, "browser");
    return call(given.signal, this.#store, (cancellation) =>
      this.#open.authenticate(typed, state, session, browser, cancellation),
    );
  }

  /**
   * Completes a login with the token that the broker sent, and returns the verified address in normalized form. A
   * token completes a login once.
   *
   * Rejects with {@link InvalidToken}, {@link InvalidSession}, {@link BrokerUnavailable} or
   * {@link StoreError}.
   */
  async verify(idToken: string, options?: CallOptions): Promise<string> {
    const token = text(idToken, "token", "token_malformed");
    const { signal } = membersIfAny(options, ["signal"]);
    return call(signal, this.#store, (cancellation) => this.#open.verify(token, cancellation));
  }

  /**
   * Completes a login with the parameters that the broker sent to the redirect URI.
   *
   * Rejects as {@link verify} does, also with {@link BrokerError} if there is no token, and with
   * {@link BrowserMismatch} if the login was not started in this browser. Such a login is still pending.
   */
  async complete(params: CallbackParams, options?: CompleteOptions): Promise<Login> {
    const pairs = callbackPairs(params);
    const given = membersIfAny(options, ["browser", "confirmation", "signal"]);
    const browser = optionalText(given.browser, "browser");
    const confirmation = optionalText(given.confirmation, "confirmation");
    const login = await call(given.signal, this.#store, (cancellation) =>
      this.#open.complete(pairs, browser, confirmation, cancellation),
    );
    return new Login(login);
  }

  /** Returns the broker's discovery document. Rejects with {@link BrokerUnavailable}. */
  async discover(options?: CallOptions): Promise<Record<string, unknown>> {
    const { signal } = membersIfAny(options, ["signal"]);
    const document = await call(signal, this.#store, (cancellation) => this.#open.discover(cancellation));
    return JSON.parse(document) as Record<string, unknown>;
  }

  /** Returns the broker's usable keys. Rejects with {@link BrokerUnavailable}. */
  async keys(options?: CallOptions): Promise<Key[]> {
    const { signal } = membersIfAny(options, ["signal"]);
    return call(signal, this.#store, (cancellation) => this.#open.keys(cancellation));
  }

  /**
   * Fetches the broker's documents before the first login. Rejects with {@link BrokerUnavailable}. The client can be
   * used in any case, and fetches them later.
   */
  async warm(options?: CallOptions): Promise<void> {
    const { signal } = membersIfAny(options, ["signal"]);
    await call(signal, this.#store, (cancellation) => this.#open.warm(cancellation));
  }

  /**
   * Creates the client's part of a {@link LoginFlow}. Both may be of different copies of this package. A flow that
   * `startsLogins` is a reason to warn of the memory store.
   *
   * @internal
   */
  [FLOW](options: NativeFlowOptions, startsLogins = true): ClientFlow {
    if (startsLogins && options.session === undefined) this.#warn();
    return new ClientFlow(() => this.#native, this.#store, options);
  }

  /**
   * Makes what a {@link SessionCookie} needs of its client.
   *
   * @internal
   */
  [SESSION_COOKIE](options: NativeSessionOptions): ClientSessionCookie {
    return new ClientSessionCookie(() => this.#native, options);
  }

  /** Returns the counters. */
  stats(): Stats {
    return this.#open.stats();
  }

  /**
   * Returns whether logins work, as far as this process knows. It does not wait. Documents that are due are fetched
   * in the background.
   */
  health(): Health {
    // It is ready at once.
    return JSON.parse(call(undefined, this.#store, () => this.#open.health()) as string) as Health;
  }

  /**
   * The addon's part of this client; undefined after it was destroyed.
   *
   * @internal
   */
  [NATIVE](): NativeClient | undefined {
    return this.#native;
  }

  /**
   * Closes the client, its connections to the broker, and an {@link AbstractStore}. Calls in progress continue; later
   * calls throw. Destroying a client again does nothing.
   */
  destroy(): void {
    void this.#end();
  }

  /** As {@link destroy}, and waits for the `destroy` of an {@link AbstractStore} that returns a promise. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  /** The properties that may be logged. */
  toJSON(): { redirectUri: string; destroyed: boolean } {
    return { redirectUri: this.redirectUri, destroyed: this.#native === undefined };
  }

  [inspect.custom](): string {
    return `PortierClient { redirectUri: ${inspect(this.redirectUri)} }`;
  }

  /** Closes the client first, because the store may throw. */
  #end(): unknown {
    const ending = this.#native;
    if (ending === undefined) return undefined;
    this.#native = undefined;
    ending.close();
    return "createNonce" in this.#store ? this.#store.destroy?.() : undefined;
  }

  #warn(): void {
    if (this.#doubt !== undefined) warnOfMemoryStore(this.#doubt);
    this.#doubt = undefined;
  }

  get #open(): NativeClient {
    return opened(this.#native);
  }

  /** Changes a setting. Pending logins stay in the store; documents are fetched again. */
  #change(options: Partial<NativeOptions>): void {
    const changed = { ...this.#options, ...options };
    if (this.#native !== undefined) {
      const before = this.#native;
      this.#native = this.#create(changed, this.#store);
      changed.redirectUri = this.#native.redirectUri;
      before.close();
    }
    this.#options = changed;
  }
}

/** Creates the addon's part of a client. */
export type Create = (options: NativeOptions, store: AnyStore) => NativeClient;

function create(options: NativeOptions, store: AnyStore): NativeClient {
  trustExtraAuthorities();
  return unwrap(native.createClient(options, nativeStore(store), completions));
}
