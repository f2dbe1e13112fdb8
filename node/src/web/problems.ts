import {
  BrokerError,
  BrokerUnavailable,
  BrowserMismatch,
  InvalidEmail,
  InvalidSession,
  InvalidToken,
  StoreError,
  TokenExpired,
  type PortierError,
} from "../errors.js";
import { page, PAGE_HEADERS, type Answer } from "./answer.js";
import { escape, makePage, STYLE } from "./html.js";

/** A failed login in words for the person in front of the browser, with its HTTP status. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly text: string;
  /** For the `Retry-After` header; `null` where waiting does not help. */
  readonly retryAfterSeconds: number | null;
}

/**
 * Puts an error into words.
 *
 * Nothing of what came with the request is repeated: anyone can post any `error_description` to
 * the callback, and make the site say it.
 */
export function explain(error: PortierError): Problem {
  if (error instanceof BrokerError && error.error === "access_denied") return CANCELLED;
  if (error.code === "token_clock" || error.code === "token_not_yet_valid") return CLOCKS_DIFFER;
  const found = PROBLEMS.find(([kinds]) => kinds.some((kind) => error instanceof kind));
  return found?.[1] ?? DEFECT;
}

/** A page of its own about a problem, with a way to start again. */
export function problemPage(found: Problem, startAgain: string): Answer {
  const { html, policy } = makePage({
    title: found.title,
    style: STYLE,
    body: `<main>
<h1>${escape(found.title)}</h1>
<p>${escape(found.text)}</p>
<a href="${escape(startAgain)}">Start again</a>
</main>`,
  });
  return page(found.status, html, { ...problemHeaders(found), "Content-Security-Policy": policy });
}

/** The headers of any page about a problem. */
export function problemHeaders({ status, retryAfterSeconds }: Problem): Record<string, string> {
  return {
    ...PAGE_HEADERS,
    ...(retryAfterSeconds === null ? {} : { "Retry-After": String(retryAfterSeconds) }),
    ...(status === POST_ONLY.status ? { Allow: "POST" } : {}),
  };
}

const FAILED = "Sign-in did not work";
const TRY_LATER = "Please try again in a moment.";
const RETRY_AFTER_SECONDS = 30;

/** What a visit to the redirect URI is told. */
export const POST_ONLY = problem(
  405,
  "Nothing to see here",
  "This address only takes the end of a sign-in.",
);
export const NOT_A_FORM = problem(415, FAILED, "The request was not a form.");
export const TOO_LARGE = problem(413, FAILED, "The request was too large.");
export const FROM_ELSEWHERE = problem(
  403,
  "Sign-in did not start",
  "The form came from another site. Please start again here.",
);

export const NO_COOKIES = problem(
  400,
  "Cookies are needed",
  "Your browser does not keep the cookies of this site. Please allow them and start again.",
);

const CANCELLED = problem(403, "Sign-in cancelled", "Nothing has changed. You can start again.");
const CLOCKS_DIFFER = problem(
  503,
  "Sign-in is not possible right now",
  "The clock of this site or of the login service is wrong. Please tell the people who run this site, and try again later.",
  RETRY_AFTER_SECONDS,
);
const DEFECT = problem(500, "Something went wrong", "The error is on our side, not on yours.");

type Kind = abstract new (...parameters: never[]) => PortierError;

// The first that fits an error holds.
const PROBLEMS: readonly (readonly [kinds: readonly Kind[], found: Problem])[] = [
  [
    [InvalidEmail],
    problem(
      400,
      "Check the address",
      "This does not look like an e-mail address. Please type it again.",
    ),
  ],
  [
    [BrowserMismatch],
    problem(
      400,
      "Finish where you began",
      "This sign-in was started in another browser, and can be finished only there.",
    ),
  ],
  [
    [InvalidSession, TokenExpired],
    problem(400, "This sign-in is over", "It was already used, or has expired. Please start again."),
  ],
  [
    [BrokerError, InvalidToken],
    problem(
      400,
      FAILED,
      "The login service did not confirm your address. Please start again.",
    ),
  ],
  [
    [BrokerUnavailable],
    problem(503, "The login service does not answer", TRY_LATER, RETRY_AFTER_SECONDS),
  ],
  [
    [StoreError],
    problem(503, "Sign-in is not possible right now", TRY_LATER, RETRY_AFTER_SECONDS),
  ],
];

function problem(
  status: number,
  title: string,
  text: string,
  retryAfterSeconds: number | null = null,
): Problem {
  return { status, title, text, retryAfterSeconds };
}
