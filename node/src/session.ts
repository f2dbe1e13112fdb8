import { inspect, types } from "node:util";

import { invalidOption } from "./errors.js";
import type { NativeSession, NativeSessionOptions } from "./native.js";
import { text } from "./text.js";

/**
 * One secret or several, each of 32 random bytes or more; a string counts in UTF-8. The first one seals, all
 * of them open: to replace a secret, put the new one in front.
 */
export type Secret = string | Uint8Array | readonly (string | Uint8Array)[];

/**
 * A person who is signed in.
 *
 * Printing one shows neither the address nor the id, so that a logged session puts neither into the logs.
 */
export class Session {
  /** The verified address in normalized form. Use it, to the letter, as the key of the account. */
  readonly email: string;
  /** A random name of this session, of 22 characters, by which a site can end it. */
  readonly id: string;
  /** When the person signed in, in seconds since 1970. */
  readonly signedInAt: number;
  /** When the session ends unless it is renewed, in seconds since 1970. */
  readonly expiresAt: number;
  /**
   * The `Set-Cookie` value that renews the session, to be set on the answer; `null` if that is not due. Only
   * {@link LoginFlow.session} gives one.
   */
  readonly renewal: string | null;
  readonly #cookie: string | undefined;

  /** @internal */
  constructor({ email, id, signedInAt, expiresAt, renewal }: NativeSession, cookie?: string) {
    this.email = email;
    this.id = id;
    this.signedInAt = signedInAt;
    this.expiresAt = expiresAt;
    this.renewal = renewal;
    this.#cookie = cookie;
    Object.freeze(this);
  }

  /**
   * Where a session comes from, if it is one.
   *
   * @internal
   */
  static cookieOf(session: object): string | undefined {
    return #cookie in session ? session.#cookie : undefined;
  }

  [inspect.custom](): string {
    return `Session { signedInAt: ${this.signedInAt}, expiresAt: ${this.expiresAt} }`;
  }
}

/** Checks the types of options; the core checks their values. */
export function readSessionOptions(
  secret: unknown,
  ages: { maxAge: unknown; absoluteMaxAge: unknown },
): NativeSessionOptions {
  const secrets = Array.isArray(secret) ? Array.from(secret as unknown[]) : [secret];
  return {
    secrets: secrets.map((one) => (types.isUint8Array(one) ? one : Buffer.from(text(one, "secret", "invalid_option")))),
    maxAge: seconds(ages.maxAge, "the age of a session"),
    absoluteMaxAge: seconds(ages.absoluteMaxAge, "the age of a session with visits"),
  };
}

function seconds(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") throw invalidOption(`${name} is not a number of seconds`);
  return value;
}
