import { inspect } from "node:util";

import type { NativeLogin } from "./native.js";

/**
 * A completed login.
 *
 * Printing one shows no address, so that a logged login does not put one into the logs.
 */
export class Login {
  /** The verified address in normalized form. Use it, to the letter, as the key of the account. */
  readonly email: string;
  /** The address as it was typed. Not an identity: two people may have typed the same text. */
  readonly emailOriginal: string;
  /** The application's own text from the start of the login. */
  readonly session: string | null;
  /** The state that came back through the browser; untrusted. */
  readonly state: string | null;
  /** When the broker issued the token. */
  readonly issuedAt: Date;
  /** When the broker last saw proof of the address, if it says so. */
  readonly authTime: Date | null;
  /** Whether the login was bound to a browser and completed in it. */
  readonly sameBrowser: boolean;

  /** @internal */
  constructor(login: NativeLogin) {
    this.email = login.email;
    this.emailOriginal = login.emailOriginal;
    this.session = login.session;
    this.state = login.state;
    this.issuedAt = new Date(login.issuedAt * 1000);
    this.authTime = login.authTime === null ? null : new Date(login.authTime * 1000);
    this.sameBrowser = login.sameBrowser;
    Object.freeze(this);
  }

  [inspect.custom](): string {
    return `Login { issuedAt: ${this.issuedAt.toISOString()}, sameBrowser: ${this.sameBrowser} }`;
  }
}
