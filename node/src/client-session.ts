import { opened, unwrap } from "./call.js";
import type { NativeClient, NativeSessionCookie, NativeSessionOptions, NativeStartedSession } from "./native.js";

/** The name of the method that creates a client's part of a session cookie. */
export const SESSION_COOKIE = Symbol.for("portier-client.session-cookie");

/** A client's part of a {@link SessionCookie}, of the client's copy of this package. */
export class ClientSessionCookie {
  readonly #client: () => NativeClient | undefined;
  readonly #options: NativeSessionOptions;
  #made: { client: NativeClient; cookie: NativeSessionCookie };

  constructor(client: () => NativeClient | undefined, options: NativeSessionOptions) {
    this.#client = client;
    this.#options = options;
    this.#made = this.#make(opened(client()));
  }

  /** The cookie for the client's current settings. */
  get current(): NativeSessionCookie {
    const client = opened(this.#client());
    if (client !== this.#made.client) this.#made = this.#make(client);
    return this.#made.cookie;
  }

  start(email: string): NativeStartedSession {
    return unwrap(this.current.start(email));
  }

  renew(cookie: string): string | null {
    return unwrap(this.current.renew(cookie));
  }

  #make(client: NativeClient): { client: NativeClient; cookie: NativeSessionCookie } {
    return { client, cookie: unwrap(client.sessionCookie(this.#options)) };
  }
}
