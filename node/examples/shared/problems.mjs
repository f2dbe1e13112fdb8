// What a person is told when something fails, with the status and the headers that go with it.
import { STATUS_CODES } from "node:http";

import {
  BrokerError,
  BrokerUnavailable,
  InvalidSession,
  InvalidToken,
  StoreError,
  TokenExpired,
} from "portier-client";

export const NOT_FOUND = problem(404, "Not Found", "Please go back and try again.");
export const FORGED = problem(
  403,
  "This form is out of date",
  "Please go back, reload the page and try again.",
);
export const NOT_A_FORM = problem(415, "Sign-in did not work", "The request was not a form.");
export const POST_ONLY = problem(
  405,
  "Nothing to see here",
  "This address only takes the end of a sign-in.",
  { Allow: "POST" },
);

const CANCELLED = problem(403, "Sign-in cancelled", "Nothing has changed. You can start again.");
const TRY_LATER = "Please try again in a moment.";

// The first that fits an error holds.
const PROBLEMS = [
  [
    [InvalidSession, TokenExpired],
    problem(400, "This sign-in is over", "It was already used, or has expired. Please start again."),
  ],
  [
    [BrokerError, InvalidToken],
    problem(
      400,
      "Sign-in did not work",
      "The login service did not confirm your address. Please start again.",
    ),
  ],
  [
    [BrokerUnavailable],
    problem(503, "The login service does not answer", TRY_LATER, { "Retry-After": "30" }),
  ],
  [
    [StoreError],
    problem(503, "Sign-in is not possible right now", TRY_LATER, { "Retry-After": "30" }),
  ],
];

/**
 * Puts an error into words. Nothing of what came with the request is repeated: anyone can post any
 * `error_description` to the callback, and make the site say it.
 */
export function explain(error) {
  if (error instanceof BrokerError && error.error === "access_denied") return CANCELLED;
  const known = PROBLEMS.find(([kinds]) => kinds.some((kind) => error instanceof kind));
  return known?.[1] ?? blame(error);
}

function blame(error) {
  // Frameworks put a status on what is the sender's fault, such as a body that is too large.
  const status = error?.statusCode;
  if (status >= 400 && status < 500) {
    return problem(status, STATUS_CODES[status] ?? "Bad Request", "Please go back and try again.");
  }
  return problem(500, "Something went wrong", "The error is on our side, not on yours.");
}

function problem(status, title, text, headers = {}) {
  return { status, title, text, headers };
}
