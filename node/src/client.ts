import { inspect } from "node:util";

import { trustExtraAuthorities } from "./authorities.js";
import { call, opened, unwrap } from "./call.js";
import { callbackPairs, type CallbackParams } from "./callback.js";
import { ClientFlow, FLOW } from "./client-flow.js";
import { ClientSessionCookie, SESSION_COOKIE } from "./client-session.js";
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
import { warnOfMemoryStore } from "./processes.js";
import type { Key, ResponseMode } from "./protocol.js";
import type { Stats } from "./stats.js";
import { nativeStore, type AnyStore } from "./store/built-in.js";
import { members, optionalText, text } from "./text.js";

export type { CallbackParams } from "./callback.js";

/** What every call takes. */
export interface CallOptions {
  /**
   * Ends the call if it has to wait. A login is then not completed, and can be tried again, unless the
   * store was about to hand it over.
   */
  signal?: AbortSignal | undefined;
}

/** With what a login starts, besides an address. */
export interface AuthenticateOptions extends CallOptions {
  /** Text that travels through the browser and comes back untrusted; at most 4 KiB. */
  state?: string | null | undefined;
  /** The application's own text, kept until the login completes; at most 4 KiB. */
  session?: string | null | undefined;
  /**
   * A secret only this browser knows, at least 128 random bits. The login can then be completed with
   * it only, or where the person confirms it.
   */
  browser?: string | null | undefined;
}

/** With what a login completes, besides the callback. */
export interface CompleteOptions extends CallOptions {
  /** The secret of this browser, if logins are bound to theirs. */
  browser?: string | null | undefined;
  /**
   * That of a {@link BrowserMismatch} for the same token and secret, once the person has agreed to
   * go on in this browser.
   */
  confirmation?: string | null | undefined;
}

const DEFAULT_LEEWAY_MS = 180_000;

/**
 * The relying party's side of Portier: starts logins and completes them.
 *
 * Make one and keep it: it caches the broker's documents. Nothing is fetched before the first
 * login, and a client without calls under way does not keep the process running.
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

  /** Throws {@link ConfigError} for options that cannot work, and for ones that do not exist. */
  constructor(options: PortierClientOptions);
  /** @internal */
  constructor(options: PortierClientOptions, create: Create);
  constructor(options: PortierClientOptions, make = create) {
    const { native, store } = readOptions(options);
    this.#store = store;
    this.#create = make;
    this.#native = make(native, store);
    this.#options = { ...native, redirectUri: this.#native.redirectUri };
    if (this.#native.hasLocalStore) warnOfMemoryStore(this);
  }

  /** Where the broker sends browsers back to, as the URL parser writes it. */
  get redirectUri(): string {
    return this.#options.redirectUri;
  }

  /** As for all settings that can be changed: calls under way go on with what was there before. */
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

  /** How the broker sends its answer. */
  get responseMode(): ResponseMode {
    return this.#options.responseMode ?? "form_post";
  }

  set responseMode(mode: ResponseMode) {
    this.#change({ responseMode: text(mode, "responseMode", "invalid_option") as ResponseMode });
  }

  /** How far the broker's clock may be off, in milliseconds. */
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

  /** Where pending logins wait. */
  get store(): AnyStore {
    return this.#store;
  }

  /**
   * Starts a login and gives the URL to redirect the browser to, with status 303.
   *
   * `email` is what the person typed; `null` lets the broker ask for it. The second argument is
   * the state, or options.
   *
   * Rejects with {@link InvalidEmail}, {@link ConfigError}, {@link BrokerUnavailable} or
   * {@link StoreError}.
   */
  async authenticate(
    email: string | null,
    options?: string | AuthenticateOptions | null,
  ): Promise<string> {
    const typed = email === null ? null : text(email, "e-mail address", "invalid_email");
    const given = members(typeof options === "string" ? { state: options } : (options ?? {}), [
      "state",
      "session",
      "browser",
      "signal",
    ]);
    const state = optionalText(given.state, "state");
    const session = optionalText(given.session, "session");
    const browser = optionalText(given.browser, "browser");
    return call(given.signal, this.#store, (cancellation) =>
      this.#open.authenticate(typed, state, session, browser, cancellation),
    );
  }

  /**
   * Completes a login with the token the broker sent, and gives the verified address in normalized
   * form. A token completes a login once.
   *
   * Rejects with {@link InvalidToken}, {@link InvalidSession}, {@link BrokerUnavailable} or
   * {@link StoreError}.
   */
  async verify(idToken: string, options?: CallOptions): Promise<string> {
    const token = text(idToken, "token", "token_malformed");
    const signal = options === undefined ? undefined : members(options, ["signal"]).signal;
    return call(signal, this.#store, (cancellation) => this.#open.verify(token, cancellation));
  }

  /**
   * Completes a login with the parameters the broker sent to the redirect URI.
   *
   * Rejects as {@link verify} does, with {@link BrokerError} if there is no token, and with
   * {@link BrowserMismatch} if the login was not started in this browser; it can still be completed
   * where it was.
   */
  async complete(params: CallbackParams, options?: CompleteOptions): Promise<Login> {
    const pairs = callbackPairs(params);
    const given = members(options ?? {}, ["browser", "confirmation", "signal"]);
    const browser = optionalText(given.browser, "browser");
    const confirmation = optionalText(given.confirmation, "confirmation");
    const login = await call(given.signal, this.#store, (cancellation) =>
      this.#open.complete(pairs, browser, confirmation, cancellation),
    );
    return new Login(login);
  }

  /** Gives the broker's discovery document. Rejects with {@link BrokerUnavailable}. */
  async discover(options?: CallOptions): Promise<Record<string, unknown>> {
    const { signal } = members(options ?? {}, ["signal"]);
    const document = await call(signal, this.#store, (cancellation) => this.#open.discover(cancellation));
    return JSON.parse(document) as Record<string, unknown>;
  }

  /** Gives the broker's usable keys. Rejects with {@link BrokerUnavailable}. */
  async keys(options?: CallOptions): Promise<Key[]> {
    const { signal } = members(options ?? {}, ["signal"]);
    return call(signal, this.#store, (cancellation) => this.#open.keys(cancellation));
  }

  /**
   * Fetches the broker's documents ahead of the first login. Rejects with
   * {@link BrokerUnavailable}; the client works nevertheless once the broker does.
   */
  async warm(options?: CallOptions): Promise<void> {
    const { signal } = members(options ?? {}, ["signal"]);
    await call(signal, this.#store, (cancellation) => this.#open.warm(cancellation));
  }

  /**
   * Makes what a {@link LoginFlow} needs of its client, whichever copy of this package either is of.
   *
   * @internal
   */
  [FLOW](options: NativeFlowOptions): ClientFlow {
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

  /** Counts what happened so far. */
  stats(): Stats {
    return this.#open.stats();
  }

  /**
   * Ends the client, its connections to the broker, and an {@link AbstractStore}. Calls under way are
   * finished, later ones are an error. Destroying it again does nothing.
   */
  destroy(): void {
    void this.#end();
  }

  /** As {@link destroy}, but waits for an {@link AbstractStore} whose `destroy` returns a promise. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  /** What of the client may be logged. */
  toJSON(): { redirectUri: string; destroyed: boolean } {
    return { redirectUri: this.redirectUri, destroyed: this.#native === undefined };
  }

  [inspect.custom](): string {
    return `PortierClient { redirectUri: ${inspect(this.redirectUri)} }`;
  }

  /** Ends the client, whatever the store says to its own end. */
  #end(): unknown {
    const ending = this.#native;
    if (ending === undefined) return undefined;
    this.#native = undefined;
    ending.close();
    return "createNonce" in this.#store ? this.#store.destroy?.() : undefined;
  }

  get #open(): NativeClient {
    return opened(this.#native);
  }

  /** Changes a setting. Pending logins stay in the store, documents are fetched anew. */
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

/** Makes the addon's part of a client. */
export type Create = (options: NativeOptions, store: AnyStore) => NativeClient;

function create(options: NativeOptions, store: AnyStore): NativeClient {
  trustExtraAuthorities();
  return unwrap(native.createClient(options, nativeStore(store), completions));
}
