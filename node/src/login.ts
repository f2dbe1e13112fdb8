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
  constructor(login: NativeLogin) {
    // By index: taking an array apart by its iterator takes longer.
    const authTime = login[5];
    this.email = login[0];
    this.emailOriginal = login[1];
    this.session = login[2];
    this.state = login[3];
    this.issuedAt = new Date(login[4] * 1000);
    this.authTime = authTime === null ? null : new Date(authTime * 1000);
    this.sameBrowser = login[6];
    Object.freeze(this);
  }

  [inspect.custom](): string {
    return `Login { issuedAt: ${this.issuedAt.toISOString()}, sameBrowser: ${this.sameBrowser} }`;
  }
}
