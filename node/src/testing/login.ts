import { invalidOption } from "../errors.js";
import { members } from "../text.js";
import { answerAt, brokerOf, type Answer, type KnownBroker } from "./broker-side.js";
import type { DevBroker } from "./broker.js";
import { LoginFailed } from "./failure.js";
import type { Form } from "./forms.js";
import type { TestResponse } from "./response.js";
import { TestSession, type SessionOptions } from "./session.js";
import type { App } from "./sites.js";

/** The options of {@link login} and of the scenarios. */
export interface LoginOptions extends SessionOptions {
  /** The page with the login form. By default, `/login` and then `/` are searched for a form with an e-mail address. */
  page?: string | undefined;
  /** The path that takes the login form: chooses a form of the page. On a page without it, the form is sent anyway. */
  action?: string | undefined;
  /** The page to which the login leads: the field `next` of the form. */
  next?: string | undefined;
  /** Further fields of the form. */
  fields?: Readonly<Record<string, string>> | undefined;
  /**
   * The development broker, or its origin. Not needed if the broker runs in this process or on a loopback address: then
   * the redirect of the site names it.
   */
  broker?: DevBroker | string | undefined;
}

const NAMES = ["page", "action", "next", "fields", "headers", "origin", "prefix", "timeoutMs", "broker"] as const;
const PAGES = ["/login", "/"];
const LOGIN_PATH = "/login";
/** The problems of a login that is complete. */
const REFUSALS = ["account_unknown", "account_refused"];

/**
 * Logs in at a site as a browser does: fills in its login form, signs in at the development broker, returns to the
 * redirect URI, and follows the redirects. Both flows work, and forms with CSRF tokens.
 *
 * `app` is the site in any form that a test has it in; see {@link App}. With a {@link TestSession}, the login continues in
 * that browser.
 *
 * ```js
 * const session = await login(app, "alice@example.com");
 * const members = await session.get("/members");
 * ```
 *
 * Rejects with {@link LoginFailed} if the person is not signed in. The message says what the site answered.
 */
export async function login(app: App | TestSession, email: string, options: LoginOptions = {}): Promise<TestSession> {
  const pending = await begin(app, email, options);
  return signedIn(pending, await answerAt(pending.broker, pending.url));
}

/** A login that waits for the person to sign in at the broker. @internal */
export interface Pending {
  session: TestSession;
  /** The address of the broker's page, to which the site redirected. */
  url: URL;
  broker: KnownBroker;
}

/** Starts a login: sends the login form of the site. @internal */
export async function begin(app: App | TestSession, email: string, options: LoginOptions): Promise<Pending> {
  members(options, NAMES);
  const session = sessionOf(app, options);
  const { form, tried } = await findForm(session, options);
  const fields: Record<string, string> = { ...options.fields, [form?.emailField ?? "email"]: email };
  if (options.next !== undefined) fields["next"] = options.next;
  if (form !== undefined) {
    await session.submitForm(form, fields);
  } else {
    const url = session.at(options.action ?? LOGIN_PATH);
    await session.navigate({ method: "POST", url, fields, from: url });
  }
  const { response } = session;
  const place = response.location ?? urlIn(response);
  if (place === null) {
    const missing = form === undefined ? `; no form with an e-mail address was found: ${tried.join("; ")}` : "";
    throw new LoginFailed(`the login did not start: ${response.describe("the login form")}${missing}${hint(session)}`, {
      response,
      session,
    });
  }
  const url = new URL(place);
  const broker = brokerOf(url, options.broker);
  const redirectUri = url.searchParams.get("redirect_uri");
  if (broker === undefined || redirectUri === null) {
    const advice = "give its client the development broker, for example with broker: process.env.PORTIER_BROKER";
    throw new LoginFailed(`the site redirects to ${url.origin}, which is not a development broker; ${advice}${hint(session)}`, {
      response,
      session,
    });
  }
  session.settle(new URL(redirectUri));
  return { session, url, broker };
}

function sessionOf(app: App | TestSession, { headers, origin, prefix, timeoutMs }: LoginOptions): TestSession {
  if (!(app instanceof TestSession)) return new TestSession(app, { headers, origin, prefix, timeoutMs });
  for (const [name, value] of Object.entries({ headers, origin, prefix, timeoutMs })) {
    if (value !== undefined) throw invalidOption(`a session has its own ${name}: give it to the session`);
  }
  return app;
}

/** Looks for the login form. Without one, says what was found instead. */
async function findForm(
  session: TestSession,
  { page, action }: LoginOptions,
): Promise<{ form?: Form | undefined; tried: string[] }> {
  const tried: string[] = [];
  for (const path of page === undefined ? PAGES : [page]) {
    const response = await session.visit(path);
    const taking = action === undefined ? undefined : session.at(action).pathname;
    const isAction = (form: Form): boolean => new URL(form.action, response.url).pathname === taking;
    const forms = response.forms.filter((form) => (taking === undefined ? form.emailField !== undefined : isAction(form)));
    const isLogin = ({ action }: Form): boolean => /log-?in|sign-?in|auth/i.test(action);
    const form = forms.find(isLogin) ?? forms[0];
    if (form !== undefined) return { form, tried };
    tried.push(response.describe("GET"));
  }
  return { tried };
}

/** The address in the JSON of a site that answers a script. */
function urlIn(response: TestResponse): string | null {
  if (response.status !== 200 || !response.text.startsWith("{")) return null;
  try {
    const { url } = response.json<{ url?: unknown }>();
    return typeof url === "string" && URL.canParse(url) ? url : null;
  } catch {
    return null;
  }
}

/** What to try if a login does not start. */
function hint(session: TestSession): string {
  const { problem, status } = session.response;
  if (problem === "broker_unavailable") {
    return "; does the client of the site have the development broker, for example with broker: process.env.PORTIER_BROKER?";
  }
  if (status === 403 && !session.isSettled) return '; if the site checks its origin, name it: origin: "https://example.com"';
  return status === 404 || status === 405 ? '; name the page with the form: page: "/sign-in", or its action: "/sign-in"' : "";
}

/** Brings the answer of the broker to the redirect URI. @internal */
export async function returned(session: TestSession, answer: Answer): Promise<TestSession> {
  await session.navigate({ ...answer, crossSite: true });
  return session;
}

/** The same, and checks that the site has accepted it. @internal */
export async function signedIn(pending: Pending, answer: Answer): Promise<TestSession> {
  const { session } = pending;
  const { response, asks } = await answerOf(pending, answer);
  if (response !== undefined && response.status < 400 && response.problem === null && !asks) return session;
  const advice = response?.status === 404 ? '; if a proxy removes the beginning of the paths, name it: prefix: "/app"' : "";
  throw incomplete(session, response, answer, asks, advice);
}

/** The same, and checks that the site has completed the login, and has then refused the person. @internal */
export async function refusedIn(pending: Pending, answer: Answer): Promise<TestSession> {
  const { session } = pending;
  const { response = session.response, asks } = await answerOf(pending, answer);
  if (asks || (response.problem !== null && !REFUSALS.includes(response.problem))) {
    throw incomplete(session, response, answer, asks, "; no account was refused");
  }
  if (response.status >= 400 || response.problem !== null) return session;
  throw new LoginFailed(`the site did not refuse the login: it signed in; ${response.describe(answer.method)}`, { response, session });
}

/** What the site answers at its redirect URI, and whether it asks if the person wants to continue in this browser. */
async function answerOf({ session }: Pending, answer: Answer): Promise<{ response: TestResponse | undefined; asks: boolean }> {
  const responses = await session.navigate({ ...answer, crossSite: true });
  // In a test, the page after the login may be missing.
  const response = responses.findLast(({ url }) => new URL(url).pathname === answer.url.pathname);
  return { response, asks: response?.forms.some(({ fields }) => "portier_confirmation" in fields) ?? false };
}

function incomplete(
  session: TestSession,
  response: TestResponse | undefined,
  { method }: Answer,
  asks: boolean,
  more: string,
): LoginFailed {
  const answerOfSite = (response ?? session.response).describe(method);
  const why = asks ? "the site asks whether to continue, because the cookie of the login is missing" : "the login did not complete";
  return new LoginFailed(`${why}: ${answerOfSite}${more}`, { response: response ?? session.response, session });
}
