import type { ServerResponse } from "node:http";
import { inspect } from "node:util";

import type { PortierError } from "./errors.js";
import { Login } from "./login.js";
import type { NativeProblem, NativeStep } from "./native.js";
import { toError } from "./to-error.js";
import { Session } from "./session.js";

/**
 * What came of a request: a finished answer, and what a site may make of it.
 *
 * A site acts on `error` first, then on `problem` or `confirmation`, then on `login`, and sends the reply.
 */
export class Step {
  /** The answer. */
  readonly reply: Reply;
  /** A completed login: sign this person in, then send the reply. */
  readonly login: Login | null;
  /** The session that begins with `login`; `null` where the flow has no `secret`. */
  readonly session: Session | null;
  /**
   * `Set-Cookie` values of a completed login, to be sent along once its person was signed in, as
   * {@link send} does. One proves to this site that this has happened: a reload then leads to the page that
   * the login was for, and without it to a page that says that the login was used already. It is missing
   * where logins are bound to no browser. The other one is that of `session`.
   */
  readonly loginCookies: readonly string[];
  /** What the page in the reply says, where a login has failed; `null` if the reply is no page. */
  readonly problem: Problem | null;
  /** What the page in the reply asks; `null` if it does not. */
  readonly confirmation: Confirmation | null;
  /** Why there is no login. The reply tells the person. */
  readonly error: PortierError | null;

  /** @internal */
  constructor(step: NativeStep) {
    this.reply = new Reply(step);
    this.login = step.login && new Login(step.login);
    this.session = step.session && new Session(step.session);
    this.loginCookies = step.loginCookies;
    this.problem = step.problem && toProblem(step.problem);
    this.confirmation = step.confirmation && new Confirmation(step.confirmation);
    this.error = step.error && toError(step.error);
    Object.freeze(this);
  }

  /**
   * Sends the reply, with {@link loginCookies}, by a response of `node:http`. Cookies that the response
   * has already are kept.
   */
  send(response: ServerResponse): void {
    response.statusCode = this.reply.status;
    for (const [name, value] of this.#headers) {
      if (name === "set-cookie") response.appendHeader(name, value);
      else response.setHeader(name, value);
    }
    response.end(this.reply.body);
  }

  /** Gives the reply, with {@link loginCookies}, as `fetch` has it. */
  toResponse(): Response {
    const { body, status } = this.reply;
    return new Response(body === "" ? null : body, { status, headers: this.#headers });
  }

  get #headers(): [name: string, value: string][] {
    const { cookies, headers, policy } = this.reply;
    const further = { "content-security-policy": [policy], "set-cookie": [...cookies, ...this.loginCookies] };
    const given = Object.entries(further).flatMap(([name, values]) => values.map((value) => [name, value] as const));
    return [...headers, ...given].flatMap(([name, value]) => (value === null ? [] : [[name, value]]));
  }

  /** Shows no cookie. */
  [inspect.custom](_depth: number, options: object): string {
    const { reply, login, session, problem, confirmation, error } = this;
    return `Step ${inspect({ reply, login, session, problem, confirmation, error: error?.code ?? null }, options)}`;
  }
}

/**
 * A finished HTTP answer.
 *
 * Printing one shows its status alone: bodies hold tokens, and cookies hold secrets.
 */
export class Reply {
  /** The HTTP status. */
  readonly status: number;
  /** Names, in lower case, and values, without cookies and policy. No name is repeated. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Values of `Set-Cookie`, to be added to those of the site. */
  readonly cookies: readonly string[];
  /** The `Content-Security-Policy` of `body`: leave it out where a page of the site replaces that. */
  readonly policy: string | null;
  /** HTML or JSON, as the header `content-type` says; empty for a redirect. */
  readonly body: string;

  /** @internal */
  constructor({ status, headers, cookies, policy, body }: NativeStep) {
    this.status = status;
    this.headers = headers;
    this.cookies = cookies;
    this.policy = policy;
    this.body = body;
    Object.freeze(this);
  }

  [inspect.custom](): string {
    return `Reply { status: ${this.status} }`;
  }
}

/** A failed login in words for the person in front of the browser. */
export interface Problem {
  /** A stable name, such as `over` or `broker_unavailable`. */
  readonly id: string;
  /** The HTTP status. */
  readonly status: number;
  /** A few words. */
  readonly title: string;
  /** A sentence or two: what happened, and what to do. */
  readonly text: string;
  /** As the header `Retry-After` says; `null` where waiting does not help. */
  readonly retryAfterSeconds: number | null;
  /** The language of `title` and `text`, such as `en`. */
  readonly language: string;
}

/** A problem under the names that it has here. */
export function toProblem({ retryAfter, ...problem }: NativeProblem): Problem {
  return { ...problem, retryAfterSeconds: retryAfter };
}

/**
 * The question whether a login goes on in a browser that did not start it.
 *
 * A page of the site's own needs a form that posts `fields` to the address of the page, once and only
 * when the person says so, and a `Content-Security-Policy` that forbids frames.
 *
 * Printing one shows no address.
 */
export class Confirmation {
  /** Whose login it is. The person may be somebody else: an attacker can send any browser here. */
  readonly email: string;
  /** Names and values of the hidden fields of the form that says yes. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The language chosen for this browser, such as `en`. */
  readonly language: string;

  /** @internal */
  constructor({ email, fields, language }: NonNullable<NativeStep["confirmation"]>) {
    this.email = email;
    this.fields = fields;
    this.language = language;
    Object.freeze(this);
  }

  [inspect.custom](): string {
    return "Confirmation {}";
  }
}
