// What a person is told when a login fails.
import {
  BrokerError,
  BrokerUnavailable,
  InvalidEmail,
  InvalidSession,
  InvalidToken,
  StoreError,
  TokenExpired,
} from "portier-client";

/**
 * Puts an error into words, with a status. Nothing of what came with the request is repeated:
 * anyone can post any `error_description` to the callback, and make the site say it.
 */
export function explain(error) {
  if (error instanceof InvalidEmail) {
    return problem(400, "Check the address", "This does not look like an e-mail address.");
  }
  if (error instanceof BrokerError && error.error === "access_denied") {
    return problem(403, "Sign-in cancelled", "Nothing has changed. You can start again.");
  }
  if (error instanceof InvalidSession || error instanceof TokenExpired) {
    return problem(400, "This sign-in is over", "It was already used, or has expired.");
  }
  if (error instanceof BrokerError || error instanceof InvalidToken) {
    return problem(400, "Sign-in did not work", "The login service did not confirm your address.");
  }
  if (error instanceof BrokerUnavailable || error instanceof StoreError) {
    return problem(503, "The login service does not answer", "Please try again in a moment.", 30);
  }
  return problem(500, "Something went wrong", "The error is on our side, not on yours.");
}

/** What went wrong before anything of the login did. */
export function refuse(status) {
  const texts = {
    403: ["The form is too old", "Please go back and try again."],
    404: ["There is no such page", "Please check the address."],
    405: ["Nothing to see here", "This address only takes the end of a sign-in."],
    413: ["Sign-in did not work", "The request was too large."],
    415: ["Sign-in did not work", "The request was not a form."],
  };
  return problem(status, ...(texts[status] ?? ["Something went wrong", "Please try again."]));
}

function problem(status, title, text, retryAfter) {
  return { status, title, text, retryAfter };
}
