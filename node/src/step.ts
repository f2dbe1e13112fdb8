import type { ServerResponse } from "node:http";
import { inspect } from "node:util";

import type { LoginRefused, PortierError } from "./errors.js";
import { Login } from "./login.js";
import { native, type NativeConfirmation, type NativeProblem, type NativeReplyHead, type NativeStep } from "./native.js";
import { toError } from "./to-error.js";
import { Session } from "./session.js";

/**
 * The result of a request: a complete reply, and the facts that a site may act on.
 *
 * A site acts on `error` first, then on `problem` or `confirmation`, then on `login`, and sends the reply.
 */
export class Step {
  /** The reply to send. */
  readonly reply: Reply;
  /** The completed login. Sign this person in, then send the reply. */
  readonly login: Login | null;
  /** The session that begins with `login`; `null` without the option `secret`. */
  readonly session: Session | null;
  /**
   * `Set-Cookie` values of a completed login. Send them with the reply once the person is signed in, as {@link send}
   * does. One proves to a later reload that this browser was signed in. Then the reload leads to the same page as the
   * login; otherwise a page says that the login was used already. It is missing if logins are not bound to browsers. The
   * other one is the cookie of `session`.
   */
  readonly loginCookies: readonly string[];
  /** The problem that the page in the reply describes; `null` if the reply is not such a page. */
  readonly problem: Problem | null;
  /** The question of the page in the reply; `null` if the reply is not such a page. */
  readonly confirmation: Confirmation | null;
  /** The reason why there is no login. The reply tells the person. */
  readonly error: PortierError | null;

  readonly #refuse: Refuse | undefined;

  /** @internal */
  constructor(step: NativeStep, refuse?: Refuse, refusal?: LoginRefused) {
    // By index: taking an array apart by its iterator takes longer.
    const [login, session, page] = [step[1], step[2], step[3] ?? NO_PAGE];
    const { status, headers, cookies, loginCookies } = readHead(step[0]);
    this.reply = new Reply(status, headers, cookies, page[0], page[1]);
    this.login = login && new Login(login);
    this.session = session === null ? null : new Session(session);
    this.loginCookies = loginCookies;
    this.problem = page[2] && toProblem(page[2]);
    this.confirmation = page[3] && new Confirmation(page[3]);
    this.error = refusal ?? (page[4] && toError(page[4]));
    this.#refuse = refuse;
    Object.freeze(this);
  }

  /**
   * Returns the step of a login that the site refuses: a page (403), or a problem for scripts, in the language of the
   * person. It has no cookies, and its `login` is `null`. A step without a login stays as it is.
   *
   * ```js
   * if (step.login !== null && !accounts.has(step.login.email)) step = step.refuse(new LoginRefused());
   * ```
   */
  refuse(error: LoginRefused): Step {
    return this.login === null || this.#refuse === undefined ? this : refusedStep(this.#refuse(error), error);
  }

  /**
   * Sends the reply, with {@link loginCookies}, as a response of `node:http`. Cookies of the response are kept.
   */
  send(response: ServerResponse): void {
    response.statusCode = this.reply.status;
    for (const [name, value] of headersOf(this)) {
      if (name === "set-cookie") response.appendHeader(name, value);
      else response.setHeader(name, value);
    }
    response.end(this.reply.body);
  }

  /** Returns the reply, with {@link loginCookies}, as a `Response` of `fetch`. */
  toResponse(): Response {
    const { body, status } = this.reply;
    return new Response(body === "" ? null : body, { status, headers: headersOf(this) });
  }

  /** The properties that may be logged. */
  toJSON(): { status: number; login: boolean; problem: string | null; confirmation: boolean; error: string | null } {
    const { reply, login, problem, confirmation, error } = this;
    return {
      status: reply.status,
      login: login !== null,
      problem: problem?.id ?? null,
      confirmation: confirmation !== null,
      error: error?.code ?? null,
    };
  }

  /** Does not show cookies. */
  [inspect.custom](_depth: number, options: object): string {
    const { reply, login, session, problem, confirmation, error } = this;
    return `Step ${inspect({ reply, login, session, problem, confirmation, error: error?.code ?? null }, options)}`;
  }
}

type Refuse = (error: LoginRefused) => NativeStep;

function refusedStep(step: NativeStep, refusal: LoginRefused): Step {
  return new Step(step, undefined, refusal);
}

/** All headers of a step. */
function headersOf({ reply, loginCookies }: Step): [name: string, value: string][] {
  const { cookies, headers, policy } = reply;
  const further = { "content-security-policy": [policy], "set-cookie": [...cookies, ...loginCookies] };
  const given = Object.entries(further).flatMap(([name, values]) => values.map((value) => [name, value] as const));
  return [...headers, ...given].flatMap(([name, value]) => (value === null ? [] : [[name, value]]));
}

const NO_PAGE = [null, "", null, null, null] as const;
const COMMON_HEADERS = native.commonHeaders().map((header) => Object.freeze(header) as Header);

type Header = readonly [name: string, value: string];

interface Head {
  status: number;
  headers: Header[];
  cookies: string[];
  loginCookies: string[];
}

function readHead(text: NativeReplyHead): Head {
  const head: Head = { status: Number(text.slice(0, 3)), headers: [], cookies: [], loginCookies: [] };
  let end = 3;
  while (end < text.length) {
    const start = end + 1;
    const colon = text.indexOf(":", start);
    end = text.indexOf("\n", colon);
    if (end === -1) end = text.length;
    const [name, value] = [text.slice(start, colon), text.slice(colon + 1, end)];
    if (name === "set-cookie") head.cookies.push(value);
    else if (name === "login-cookie") head.loginCookies.push(value);
    else head.headers.push([name, value]);
  }
  head.headers.push(...COMMON_HEADERS);
  return head;
}

/**
 * A complete HTTP response.
 *
 * `console.log` and JSON show only the status: bodies may contain tokens, and cookies contain secrets.
 */
export class Reply {
  /** The HTTP status. */
  readonly status: number;
  /** Names in lower case, and values, without cookies and policy. No name is repeated. */
  readonly headers: readonly Header[];
  /** Values of `Set-Cookie`, to add to those of the site. */
  readonly cookies: readonly string[];
  /** The `Content-Security-Policy` of `body`. Leave it out if a page of the site replaces the body. */
  readonly policy: string | null;
  /** HTML or JSON, as the header `content-type` says; empty for a redirect. */
  readonly body: string;

  /** @internal */
  constructor(status: number, headers: readonly Header[], cookies: readonly string[], policy: string | null, body: string) {
    this.status = status;
    this.headers = headers;
    this.cookies = cookies;
    this.policy = policy;
    this.body = body;
    Object.freeze(this);
  }

  /** The properties that may be logged. */
  toJSON(): { status: number } {
    return { status: this.status };
  }

  [inspect.custom](): string {
    return `Reply { status: ${this.status} }`;
  }
}

/** The explanation of a failed login, for the person. */
export interface Problem {
  /** A stable name, such as `over` or `broker_unavailable`. */
  readonly id: string;
  /** The HTTP status. */
  readonly status: number;
  /** The title, a few words. */
  readonly title: string;
  /** One or two sentences: what happened, and what to do. */
  readonly text: string;
  /** The value of the header `Retry-After`; `null` if waiting does not help. */
  readonly retryAfterSeconds: number | null;
  /** The language of `title` and `text`, such as `en`. */
  readonly language: string;
  /**
   * What was typed into the login form as the address, to show the form again with it; `null` if the problem is not about
   * a login form with an address. It can be any text: escape it. Not enumerable, so that logs do not show it.
   */
  readonly typedEmail: string | null;
  /** The field `next` of that login form, if it is an allowed redirect target. Not enumerable. */
  readonly next: string | null;
}

/** Converts a problem of the addon. */
export function toProblem({ retryAfter, typedEmail, next, ...shown }: NativeProblem): Problem {
  const problem = { ...shown, retryAfterSeconds: retryAfter };
  // Not as values, which `inspect` shows with `showHidden`.
  return Object.defineProperties(problem, { typedEmail: { get: () => typedEmail }, next: { get: () => next } }) as Problem;
}

/**
 * The question whether to complete a login in a browser that did not start it.
 *
 * A page of your own needs a form that posts `fields` to the address of the page, once, and only if the person agrees.
 * It also needs a `Content-Security-Policy` that forbids frames.
 *
 * `console.log` does not show the address.
 */
export class Confirmation {
  /** The address of the login. The person may be somebody else: an attacker can send any browser here. */
  readonly email: string;
  /** Names and values of the hidden fields of the form that confirms. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The language chosen for this browser, such as `en`. */
  readonly language: string;

  /** @internal */
  constructor({ email, fields, language }: NativeConfirmation) {
    this.email = email;
    this.fields = fields;
    this.language = language;
    Object.freeze(this);
  }

  [inspect.custom](): string {
    return "Confirmation {}";
  }
}
