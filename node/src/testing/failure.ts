import type { TestResponse } from "./response.js";
import type { TestSession } from "./session.js";

/** The default time limit of a request, in milliseconds. */
export const LIMIT_MS = 10_000;

/** A login of a test failed. The message says what the site or the broker answered. */
export class LoginFailed extends Error {
  override readonly name = "LoginFailed";
  /** The response that ended the login. */
  readonly response: TestResponse | undefined;
  /** The browser, in the state in which the login ended. */
  readonly session: TestSession | undefined;

  /** @internal */
  constructor(message: string, details: { response?: TestResponse | undefined; session?: TestSession; cause?: unknown } = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.response = details.response;
    this.session = details.session;
  }
}

/** A failure without a response of the site. */
export function failure(message: string, cause?: unknown): LoginFailed {
  return new LoginFailed(message, cause === undefined ? {} : { cause });
}
