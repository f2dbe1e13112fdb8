/** The property with the names of an error's class and its base classes, for other copies of this package. */
const CLASS_NAMES = Symbol.for("portier-client.class-names");

/**
 * The base of all errors of this package.
 *
 * The message is for developers, and never contains a token, a nonce, a key or an e-mail address. `cause` is
 * the error that caused this one.
 *
 * `instanceof` also works for errors of another copy of the package, which a test runner loads when it
 * resets its modules.
 */
export class PortierError extends Error {
  /** The stable code, for programs. */
  readonly code: ErrorCode;

  /** Creates an error with a message for developers. */
  constructor(message: string, details: { code: ErrorCode; cause?: unknown }) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
  }

  /** Whether the same call may succeed later without a change. */
  get retryable(): boolean {
    return false;
  }

  /** The error in JSON, without cause and stack. */
  toJSON(): { name: string; code: ErrorCode; retryable: boolean; message: string } {
    return { name: this.name, code: this.code, retryable: this.retryable, message: this.message };
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== "object" || value === null) return false;
    const prototype = this.prototype as object;
    if (Object.prototype.isPrototypeOf.call(prototype, value)) return true;
    const names: unknown = Reflect.get(value, CLASS_NAMES);
    return Object.hasOwn(prototype, CLASS_NAMES) && Array.isArray(names) && names.includes(this.prototype.name);
  }
}

/**
 * An option is invalid.
 *
 * Codes: `invalid_redirect_uri`, `invalid_broker`, `insecure_url`, `invalid_option`.
 */
export class ConfigError extends PortierError {}

/**
 * The address that a person typed cannot receive mail. Let the person correct it.
 *
 * Code: `invalid_email`.
 */
export class InvalidEmail extends PortierError {}

/**
 * The broker refused the login, or sent a callback without a token.
 *
 * `console.log` does not show the explanation. Codes: `broker_error`, `missing_token`.
 */
export class BrokerError extends PortierError {
  /** The broker's error code, such as `access_denied`. Untrusted: escape it before it is shown. */
  readonly error: string | null;

  /** The broker's explanation, if it gave one. Untrusted: escape it before it is shown. */
  readonly errorDescription: string | null;

  /** Creates an error with a message for developers. */
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
    // It may contain the address of the person.
    Object.defineProperty(this, "errorDescription", { enumerable: false });
  }
}

/**
 * The broker's metadata or keys could not be fetched. Retryable.
 *
 * Codes: `broker_timeout`, `broker_unreachable`, `broker_status`, `broker_document`.
 */
export class BrokerUnavailable extends PortierError {
  /** The HTTP status of the broker; only with `broker_status`. */
  readonly status: number | null;

  /**
   * How long the client sends no further request for the document that could not be fetched. Calls until then fail with
   * the same error. `null` if it may send the next one at once.
   */
  readonly retryAfterSeconds: number | null;

  /** Creates an error with a message for developers. */
  constructor(
    message: string,
    details: {
      code: ErrorCode;
      cause?: unknown;
      status?: number | null;
      retryAfterSeconds?: number | null;
    },
  ) {
    super(message, details);
    this.status = details.status ?? null;
    this.retryAfterSeconds = details.retryAfterSeconds ?? null;
  }

  override get retryable(): boolean {
    return true;
  }
}

/**
 * The token is invalid. Log nobody in.
 *
 * Codes: `token_malformed`, `token_too_large`, `token_header`, `token_algorithm`,
 * `token_key_unknown`, `token_signature`, `token_issuer`, `token_audience`, `token_expired`,
 * `token_not_yet_valid`, `token_clock`, `token_claim`, `code_refused`.
 */
export class InvalidToken extends PortierError {
  /** The name of the claim because of which the token was refused, such as `exp`; `null` if no claim is wrong. */
  readonly claim: string | null;

  /** What is wrong with the claim. */
  readonly reason: ClaimReason | null;

  /** Creates an error with a message for developers. */
  constructor(
    message: string,
    details: {
      code: ErrorCode;
      cause?: unknown;
      claim?: string | null;
      reason?: ClaimReason | null;
    },
  ) {
    super(message, details);
    this.claim = details.claim ?? null;
    this.reason = details.reason ?? null;
  }
}

/**
 * Why a claim was refused: the token does not have it, it has the wrong type or format, or it has another value than the
 * client expects.
 */
export type ClaimReason = "missing" | "invalid" | "check_failed";

/**
 * The token has expired. Let the person start again.
 *
 * Code: `token_expired`.
 */
export class TokenExpired extends InvalidToken {}

/**
 * The token is valid, but does not belong to a pending login of this client.
 *
 * Codes: `session_unknown` (never started here, or too long ago), `session_expired`, `session_sealed` (no secret of the
 * client opens it), `session_used`, `session_email`, `session_browser`.
 */
export class InvalidSession extends PortierError {}

/**
 * The login was completed before, for example because the person reloads the page or goes back to it.
 *
 * Code: `session_used`.
 */
export class SessionUsed extends InvalidSession {
  /** Whether the login was bound to this browser, so that the same person completed it and tries again. */
  readonly sameBrowser: boolean;

  /** Creates an error with a message for developers. */
  constructor(
    message: string,
    details: { code: ErrorCode; cause?: unknown; sameBrowser?: boolean },
  ) {
    super(message, details);
    this.sameBrowser = details.sameBrowser ?? false;
  }
}

/**
 * The login was started in another browser, for example because the person opened the mail on another device.
 * The login is still pending.
 *
 * `console.log` does not show the address. Code: `session_browser`.
 */
export class BrowserMismatch extends InvalidSession {
  readonly #email: string;
  readonly #confirmation: string | null;

  /** Creates an error with a message for developers. */
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
   * The option of `complete` that completes the login in this browser; null if `complete` got no secret of
   * this browser. Ask the person first: an attacker can make any browser send the token of the attacker's own
   * login.
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
 * The request was invalid. Only a {@link LoginFlow} reports it.
 *
 * Codes: `request_origin` (a form of another site), `request_form` (not a URL-encoded form),
 * `request_too_large`, `request_method`, `request_cookies` (the browser does not keep the cookies of
 * this site).
 */
export class InvalidRequest extends PortierError {}

/**
 * The site refused the person of a completed login. A site throws it in `onLogin`: nobody is signed in, and the person
 * sees a page (403) in their language.
 *
 * Codes: `account_refused` (the account must not sign in; the default), `account_unknown` (the site has no account with
 * the address).
 *
 * ```js
 * onLogin: async ({ email }) => {
 *   if (!(await accounts.has(email))) throw new LoginRefused("no account", { code: "account_unknown" });
 * }
 * ```
 */
export class LoginRefused extends PortierError {
  /** Creates an error with a message for the log, which must not contain the address. */
  constructor(
    message = "the site refused the login",
    details: { code: ErrorCode; cause?: unknown } = { code: "account_refused" },
  ) {
    super(message, details);
  }
}

/**
 * A defect in this package. Please report it.
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
  session_expired: InvalidSession,
  session_sealed: InvalidSession,
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
  account_unknown: LoginRefused,
  account_refused: LoginRefused,
  internal: InternalError,
} as const;

/** The stable codes of all errors. */
export type ErrorCode = keyof typeof CLASSES;

/** Whether a value is a StoreError. Never throws, whatever the value does. */
export function isStoreError(value: unknown): value is StoreError {
  try {
    return value instanceof StoreError;
  } catch {
    return false;
  }
}

/** The error for an invalid option. */
export function invalidOption(message: string): ConfigError {
  return new ConfigError(message, { code: "invalid_option" });
}

const classes = {
  PortierError,
  ConfigError,
  InvalidEmail,
  BrokerError,
  BrokerUnavailable,
  InvalidToken,
  TokenExpired,
  InvalidSession,
  SessionUsed,
  BrowserMismatch,
  StoreError,
  InvalidRequest,
  LoginRefused,
  InternalError,
};
// The names survive minification, and are not enumerable, as those of built-in errors.
for (const [name, { prototype }] of Object.entries(classes)) {
  const inherited = Reflect.get(Object.getPrototypeOf(prototype) as object, CLASS_NAMES) as string[] | undefined;
  Object.defineProperty(prototype, "name", { value: name, configurable: true, writable: true });
  Object.defineProperty(prototype, CLASS_NAMES, { value: [name, ...(inherited ?? [])] });
}
