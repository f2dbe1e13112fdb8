import { inspect, types } from "node:util";

import { invalidOption } from "./errors.js";
import type { NativeSessionOptions, PackedSession } from "./native.js";
import { text } from "./text.js";

/**
 * One secret or several, each of at least 32 random bytes. Strings are encoded as UTF-8. The first secret seals; all
 * secrets open. To rotate secrets, put the new one first.
 */
export type Secret = string | Uint8Array | readonly (string | Uint8Array)[];

/**
 * The session of a signed-in person.
 *
 * `console.log` shows neither the address nor the id, so that they do not get into logs by accident.
 */
export class Session {
  /** The verified address in normalized form. Use exactly this string as the key of the account. */
  readonly email: string;
  /** The random id of this session, 22 characters. A site can use it to end the session. */
  readonly id: string;
  /** When the person signed in, in seconds since 1970. */
  readonly signedInAt: number;
  /** When the session expires unless it is renewed, in seconds since 1970. */
  readonly expiresAt: number;
  /**
   * The `Set-Cookie` value that renews the session, to add to the response; `null` if it needs no renewal. Only
   * {@link LoginFlow.session} sets it.
   */
  readonly renewal: string | null;
  readonly #cookie: string | undefined;

  /** @internal */
  constructor(packed: PackedSession, cookie?: string) {
    const expires = packed.indexOf(" ") + 1;
    const id = packed.indexOf(" ", expires) + 1;
    const email = packed.indexOf(" ", id) + 1;
    const end = packed.indexOf("\n", email);
    this.email = end < 0 ? packed.slice(email) : packed.slice(email, end);
    this.id = packed.slice(id, email - 1);
    this.signedInAt = Number(packed.slice(0, expires - 1));
    this.expiresAt = Number(packed.slice(expires, id - 1));
    this.renewal = end < 0 ? null : packed.slice(end + 1);
    this.#cookie = cookie;
    Object.freeze(this);
  }

  /**
   * The cookie that a session was read from, if the object is a session.
   *
   * @internal
   */
  static cookieOf(session: object): string | undefined {
    return #cookie in session ? session.#cookie : undefined;
  }

  /** The properties that a site may store; without the cookie in `renewal`. */
  toJSON(): { email: string; id: string; signedInAt: number; expiresAt: number } {
    const { email, id, signedInAt, expiresAt } = this;
    return { email, id, signedInAt, expiresAt };
  }

  [inspect.custom](): string {
    return `Session { signedInAt: ${this.signedInAt}, expiresAt: ${this.expiresAt} }`;
  }
}

/** Checks the types of secrets; the core checks their values. */
export function readSecrets(secret: unknown): Uint8Array[] {
  const secrets = Array.isArray(secret) ? Array.from(secret as unknown[]) : [secret];
  return secrets.map((one) => (types.isUint8Array(one) ? one : Buffer.from(text(one, "secret", "invalid_option"))));
}

/** Checks the types of options; the core checks their values. */
export function readSessionOptions(
  secret: unknown,
  ages: { maxAge: unknown; absoluteMaxAge: unknown },
): NativeSessionOptions {
  return {
    secrets: readSecrets(secret),
    maxAge: seconds(ages.maxAge, "the age of a session"),
    absoluteMaxAge: seconds(ages.absoluteMaxAge, "the age of a session with visits"),
  };
}

function seconds(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") throw invalidOption(`${name} is not a number of seconds`);
  return value;
}
