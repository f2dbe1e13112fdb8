import { inspect } from "node:util";

import type { PortierClient } from "./client.js";
import { SESSION_COOKIE, type ClientSessionCookie } from "./client-session.js";
import { invalidOption } from "./errors.js";
import { SESSION_NAMES } from "./names.js";
import { readSessionOptions, Session, type Secret } from "./session.js";
import { members, text } from "./text.js";

/** The options of a {@link SessionCookie}. */
export interface SessionOptions {
  /** The secret that seals the cookie. */
  secret: Secret;
  /** How long a session lasts without a visit, in seconds; 14 days by default. */
  maxAge?: number | undefined;
  /** How long a session lasts with visits, in seconds; 90 days by default, 400 at most. */
  absoluteMaxAge?: number | undefined;
}

/**
 * Keeps people signed in with a sealed cookie, without data on the server.
 *
 * Nobody else can read or change the cookie (AES-256-GCM), and it is valid for this site only. This class is for sites
 * without a {@link LoginFlow}; a flow with a `secret` uses such a cookie itself.
 *
 * ```js
 * const cookie = new SessionCookie(client, { secret: process.env.SESSION_SECRET });
 * const [session, setCookie] = cookie.start("alice@example.com");
 * cookie.read(request.headers.cookie)?.email; // later: alice@example.com
 * ```
 */
export class SessionCookie {
  readonly #cookie: ClientSessionCookie;

  /**
   * Throws {@link ConfigError} (`invalid_option`) if a secret is too short or looks like a placeholder, or if an age is
   * out of range.
   */
  constructor(client: PortierClient, options: SessionOptions) {
    // Not `instanceof`: a test runner that resets its modules creates another class of the same name.
    if (typeof Object(client)[SESSION_COOKIE] !== "function") throw invalidOption("client is not a PortierClient");
    const { secret, maxAge, absoluteMaxAge } = members(options, SESSION_NAMES);
    this.#cookie = client[SESSION_COOKIE](readSessionOptions(secret, { maxAge, absoluteMaxAge }));
  }

  /**
   * Begins a session. Returns it, and the value of its `Set-Cookie` header. Throws {@link InvalidEmail} if `email` is
   * not an address.
   */
  start(email: string): [session: Session, setCookie: string] {
    const { session, cookie } = this.#cookie.start(text(email, "e-mail address", "invalid_email"));
    return [new Session(session, cookie), cookie];
  }

  /** Returns the session in the `Cookie` header of a request; `null` if there is none that is valid. */
  read(cookie: string | null | undefined): Session | null {
    if (typeof cookie !== "string") return null;
    const session = this.#cookie.current.read(cookie);
    return session === null ? null : new Session(session, cookie);
  }

  /**
   * Returns the `Set-Cookie` value that renews a session of this cookie; `null` in the first half of `maxAge`, or if the
   * session cannot last longer.
   */
  renew(session: Session): string | null {
    const cookie = Session.cookieOf(Object(session) as object);
    if (cookie === undefined) throw invalidOption("session is not of a SessionCookie");
    return this.#cookie.renew(cookie);
  }

  /** Returns the `Set-Cookie` value that ends the session in this browser. */
  clear(): string {
    return this.#cookie.current.clear();
  }

  /** Does not show secrets. */
  [inspect.custom](): string {
    return "SessionCookie {}";
  }
}
