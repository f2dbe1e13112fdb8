/** The names of an error's class and of those above it, legible to every copy of this package. */
const KIN = Symbol.for("portier-client.kin");

/**
 * The base of all errors of this package.
 *
 * The message is for developers and never contains a token, a nonce, a key or an e-mail address.
 * What caused an error is its `cause`.
 *
 * `instanceof` also holds for errors from another copy of the package, such as a test runner makes
 * when it resets its modules.
 */
export class PortierError extends Error {
  /** The stable code, meant for programs. */
  readonly code: ErrorCode;

  /** Makes an error with a message for developers. */
  constructor(message: string, details: { code: ErrorCode; cause?: unknown }) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
  }

  /** Whether the same call may succeed later without any change. */
  get retryable(): boolean {
    return false;
  }

  /** What is left of the error in JSON: no cause, no stack. */
  toJSON(): { name: string; code: ErrorCode; retryable: boolean; message: string } {
    return { name: this.name, code: this.code, retryable: this.retryable, message: this.message };
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== "object" || value === null) return false;
    const prototype = this.prototype as object;
    if (Object.prototype.isPrototypeOf.call(prototype, value)) return true;
    const kin: unknown = Reflect.get(value, KIN);
    return Object.hasOwn(prototype, KIN) && Array.isArray(kin) && kin.includes(this.prototype.name);
  }
}

/**
 * The client was given something that cannot work.
 *
 * Codes: `invalid_redirect_uri`, `invalid_broker`, `insecure_url`, `invalid_option`.
 */
export class ConfigError extends PortierError {}

/**
 * The address a person typed could never receive mail. Let the person correct it.
 *
 * Code: `invalid_email`.
 */
export class InvalidEmail extends PortierError {}

/**
 * The broker refused the login, or sent a callback without a token.
 *
 * Printing one shows no explanation. Codes: `broker_error`, `missing_token`.
 */
export class BrokerError extends PortierError {
  /** The broker's error code, such as `access_denied`. Untrusted: escape it before it is shown. */
  readonly error: string | null;

  /** The broker's explanation, if it gave one. Untrusted: escape it before it is shown. */
  readonly errorDescription: string | null;

  /** Makes an error with a message for developers. */
  constructor(
    message: string,
    details: {
      code: ErrorCode;
      cause?: unknown;
      error?: string | null;
      errorDescription?: string | null;
    },
  ) {
    super(message, details);
    this.error = details.error ?? null;
    this.errorDescription = details.errorDescription ?? null;
    // It may say whose mail could not be sent.
    Object.defineProperty(this, "errorDescription", { enumerable: false });
  }
}

/**
 * The broker's documents could not be had. Retryable.
 *
 * Codes: `broker_timeout`, `broker_unreachable`, `broker_status`, `broker_document`.
 */
export class BrokerUnavailable extends PortierError {
  override get retryable(): boolean {
    return true;
  }
}

/**
 * The token is not one this client accepts. Nobody may be logged in with it.
 *
 * Codes: `token_malformed`, `token_too_large`, `token_header`, `token_algorithm`,
 * `token_key_unknown`, `token_signature`, `token_issuer`, `token_audience`, `token_expired`,
 * `token_not_yet_valid`, `token_clock`, `token_claim`, `code_refused`.
 */
export class InvalidToken extends PortierError {}

/**
 * The token came too late. Let the person start again.
 *
 * Code: `token_expired`.
 */
export class TokenExpired extends InvalidToken {}

/**
 * The token is genuine, but not the answer to a login that is pending here.
 *
 * Codes: `session_unknown` (never started here, or too long ago), `session_used`, `session_email`,
 * `session_browser`.
 */
export class InvalidSession extends PortierError {}

/**
 * The login was completed before, as when a person reloads the page or goes back to it.
 *
 * Code: `session_used`.
 */
export class SessionUsed extends InvalidSession {
  /**
   * Whether the login was bound to this browser: then the one who tries again is the one who
   * completed it.
   */
  readonly sameBrowser: boolean;

  /** Makes an error with a message for developers. */
  constructor(
    message: string,
    details: { code: ErrorCode; cause?: unknown; sameBrowser?: boolean },
  ) {
    super(message, details);
    this.sameBrowser = details.sameBrowser ?? false;
  }
}

/**
 * The login was started in another browser, as when mail is opened on another device. Nothing was
 * used up.
 *
 * Printing one shows no address. Code: `session_browser`.
 */
export class BrowserMismatch extends InvalidSession {
  readonly #email: string;
  readonly #confirmation: string | null;

  /** Makes an error with a message for developers. */
  constructor(
    message: string,
    details: {
      code: ErrorCode;
      cause?: unknown;
      email?: string | null;
      confirmation?: string | null;
    },
  ) {
    super(message, details);
    this.#email = details.email ?? "";
    this.#confirmation = details.confirmation ?? null;
  }

  /** The verified address in normalized form. */
  get email(): string {
    return this.#email;
  }

  /**
   * What completes the login in this browser all the same, as an option of `complete`; null where no
   * secret of this browser was given. Ask the person first: an attacker can have any browser send
   * the answer to a login of his own.
   */
  get confirmation(): string | null {
    return this.#confirmation;
  }
}

/**
 * The store of pending logins failed. Retryable.
 *
 * Codes: `store_unavailable`, `store_full`, `store_failed`.
 */
export class StoreError extends PortierError {
  override get retryable(): boolean {
    return true;
  }
}

/**
 * The request was none that a login can start or end with; only a {@link LoginFlow} gives it.
 *
 * Codes: `request_origin` (a form of another site), `request_form` (not a URL-encoded form),
 * `request_too_large`, `request_method`, `request_cookies` (the browser does not keep the cookies of
 * this site).
 */
export class InvalidRequest extends PortierError {}

/**
 * A defect in this package; please report it.
 *
 * Code: `internal`.
 */
export class InternalError extends PortierError {}

/** The class of each code. */
export const CLASSES = {
  invalid_redirect_uri: ConfigError,
  invalid_broker: ConfigError,
  insecure_url: ConfigError,
  invalid_option: ConfigError,
  invalid_email: InvalidEmail,
  broker_error: BrokerError,
  missing_token: BrokerError,
  broker_timeout: BrokerUnavailable,
  broker_unreachable: BrokerUnavailable,
  broker_status: BrokerUnavailable,
  broker_document: BrokerUnavailable,
  token_malformed: InvalidToken,
  token_too_large: InvalidToken,
  token_header: InvalidToken,
  token_algorithm: InvalidToken,
  token_key_unknown: InvalidToken,
  token_signature: InvalidToken,
  token_issuer: InvalidToken,
  token_audience: InvalidToken,
  token_expired: TokenExpired,
  token_not_yet_valid: InvalidToken,
  token_clock: InvalidToken,
  token_claim: InvalidToken,
  code_refused: InvalidToken,
  session_unknown: InvalidSession,
  session_used: SessionUsed,
  session_email: InvalidSession,
  session_browser: BrowserMismatch,
  store_unavailable: StoreError,
  store_full: StoreError,
  store_failed: StoreError,
  request_origin: InvalidRequest,
  request_form: InvalidRequest,
  request_too_large: InvalidRequest,
  request_method: InvalidRequest,
  request_cookies: InvalidRequest,
  internal: InternalError,
} as const;

/** The stable codes of all errors. */
export type ErrorCode = keyof typeof CLASSES;

/** Whether a value is a StoreError; whatever it is, asking does no harm. */
export function isStoreError(value: unknown): value is StoreError {
  try {
    return value instanceof StoreError;
  } catch {
    return false;
  }
}

/** An option that cannot work. */
export function invalidOption(message: string): ConfigError {
  return new ConfigError(message, { code: "invalid_option" });
}

// A name is not enumerable on the errors of the language either, and survives minification here.
const kin = { PortierError, ConfigError, InvalidEmail, BrokerError, BrokerUnavailable };
const more = { InvalidToken, TokenExpired, InvalidSession, SessionUsed, BrowserMismatch };
const ours = { StoreError, InvalidRequest, InternalError };
for (const [name, { prototype }] of Object.entries({ ...kin, ...more, ...ours })) {
  const above = Reflect.get(Object.getPrototypeOf(prototype) as object, KIN) as string[] | undefined;
  Object.defineProperty(prototype, "name", { value: name, configurable: true, writable: true });
  Object.defineProperty(prototype, KIN, { value: [name, ...(above ?? [])] });
}
