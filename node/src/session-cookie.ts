import { inspect } from "node:util";

import type { PortierClient } from "./client.js";
import { SESSION_COOKIE, type ClientSessionCookie } from "./client-session.js";
import { invalidOption } from "./errors.js";
import { readSessionOptions, Session, type Secret } from "./session.js";
import { members, text } from "./text.js";

/** What a {@link SessionCookie} needs. */
export interface SessionOptions {
  /** What seals the cookie. */
  secret: Secret;
  /** How long a session lasts without a visit, in seconds; 14 days by default. */
  maxAge?: number | undefined;
  /** How long a session lasts with visits, in seconds; 90 days by default, 400 at most. */
  absoluteMaxAge?: number | undefined;
}

/**
 * Keeps people signed in with one sealed cookie, and nothing on the server.
 *
 * Nobody else can read or change the cookie (AES-256-GCM), and it is valid for this site only. A
 * {@link LoginFlow} with a `secret` does all of this by itself; this class is for sites without a flow.
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
   * Throws {@link ConfigError} (`invalid_option`) for a secret that is too short or looks like a placeholder,
   * and for ages out of range.
   */
  constructor(client: PortierClient, options: SessionOptions) {
    // Not `instanceof`: a test runner that resets its modules makes another class of the same name.
    if (typeof Object(client)[SESSION_COOKIE] !== "function") throw invalidOption("client is not a PortierClient");
    const { secret, maxAge, absoluteMaxAge } = members(options, ["secret", "maxAge", "absoluteMaxAge"]);
    this.#cookie = client[SESSION_COOKIE](readSessionOptions(secret, { maxAge, absoluteMaxAge }));
  }

  /**
   * Begins a session, and gives it with the value of its `Set-Cookie` header. Throws {@link InvalidEmail} for
   * what is no address.
   */
  start(email: string): [session: Session, setCookie: string] {
    const { session, cookie } = this.#cookie.start(text(email, "e-mail address", "invalid_email"));
    return [new Session(session, cookie), cookie];
  }

  /** Gives the session in the `Cookie` header of a request, or `null` if none is genuine and current. */
  read(cookie: string | null | undefined): Session | null {
    if (typeof cookie !== "string") return null;
    const session = this.#cookie.current.read(cookie);
    return session && new Session(session, cookie);
  }

  /**
   * Gives the `Set-Cookie` value that makes a session of this cookie last longer. `null` while less than half
   * of `maxAge` is over, and where nothing can be added.
   */
  renew(session: Session): string | null {
    const cookie = Session.cookieOf(Object(session) as object);
    if (cookie === undefined) throw invalidOption("session is not of a SessionCookie");
    return this.#cookie.renew(cookie);
  }

  /** Gives the `Set-Cookie` value that ends the session in this browser. */
  clear(): string {
    return this.#cookie.current.clear();
  }

  /** Shows no secret. */
  [inspect.custom](): string {
    return "SessionCookie {}";
  }
}
