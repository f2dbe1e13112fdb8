import { inspect } from "node:util";

import type { NativeLogin } from "./native.js";

/**
 * A completed login.
 *
 * `console.log` does not show the address, so that it does not get into logs by accident.
 */
export class Login {
  /** The verified address in normalized form. Use exactly this string as the key of the account. */
  readonly email: string;
  /** The address as it was typed. It is not an identity: people with different addresses may type the same. */
  readonly emailOriginal: string;
  /** The text that the application gave when the login started. */
  readonly session: string | null;
  /** The state that came back through the browser. Untrusted. */
  readonly state: string | null;
  /** When the broker issued the token. */
  readonly issuedAt: Date;
  /** When the person last proved the address to the broker, if the broker says so. */
  readonly authTime: Date | null;
  /** Whether the login was bound to a browser, and completed in it. */
  readonly sameBrowser: boolean;

  /** @internal */
  constructor([email, emailOriginal, session, state, issuedAt, authTime, sameBrowser]: NativeLogin) {
    this.email = email;
    this.emailOriginal = emailOriginal;
    this.session = session;
    this.state = state;
    this.issuedAt = new Date(issuedAt * 1000);
    this.authTime = authTime === null ? null : new Date(authTime * 1000);
    this.sameBrowser = sameBrowser;
    Object.freeze(this);
  }

  [inspect.custom](): string {
    return `Login { issuedAt: ${this.issuedAt.toISOString()}, sameBrowser: ${this.sameBrowser} }`;
  }
}
