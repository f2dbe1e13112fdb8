import { invalidOption, LoginRefused } from "../errors.js";
import type { Session } from "../session.js";
import type { Reply, Step } from "../step.js";
import type { Hooks } from "./options.js";
import type { Sessions } from "./sessions.js";

/** What a hook may return where responses are those of `fetch`. */
export type Answer = Response | undefined | void;

/** The parts of an integration that all requests share, where hooks return responses. */
export interface ResponseSite<Request extends object> {
  readonly hooks: Hooks<[request: Request], Answer>;
  readonly sessions: Sessions<Request>;
  /** Makes a response of a framework. */
  respond(request: Request, reply: Pick<Reply, "status" | "headers" | "body">, cookies: readonly string[]): Response;
  /** Returns a response of the site with further cookies. */
  withCookies(request: Request, response: Response, cookies: readonly string[]): Response;
}

/** Runs the hooks of the site for a step, and returns the response. */
export async function respond<Request extends object>(
  step: Step,
  site: ResponseSite<Request>,
  request: Request,
): Promise<Response> {
  const { error, login, loginCookies, reply, session } = step;
  const { hooks, sessions } = site;
  if (login !== null) {
    const cookies = [...reply.cookies, ...loginCookies];
    sessions.begin(request, session);
    try {
      const given = responseOf("onLogin", await hooks.onLogin?.(login, request));
      if (given === undefined) return site.respond(request, withPolicy(reply), cookies);
      if (given.status < 400) return site.withCookies(request, given, cookies);
      sessions.forget(request);
      return given;
    } catch (error) {
      sessions.forget(request);
      if (!(error instanceof LoginRefused)) throw error;
      return respond(step.refuse(error), site, request);
    }
  }
  const given = error === null ? undefined : responseOf("onLoginError", await hooks.onLoginError?.(error, request));
  if (given !== undefined) return site.withCookies(request, given, reply.cookies);
  const page = await pageOf(step, hooks, request);
  if (page === undefined) return site.respond(request, withPolicy(reply), reply.cookies);
  if (typeof page !== "string") return site.withCookies(request, page, reply.cookies);
  return site.respond(request, { ...reply, body: page }, reply.cookies);
}

/** The page of the site about a problem or for a question, if it has one. */
async function pageOf<Request extends object>(
  { confirmation, problem }: Step,
  { showConfirmation, showProblem }: Hooks<[request: Request], Answer>,
  request: Request,
): Promise<Response | string | undefined> {
  let given: Answer | string;
  if (problem !== null) given = await showProblem?.(problem, request);
  else if (confirmation !== null) given = await showConfirmation?.(confirmation, request);
  if (typeof given === "string") return given;
  return responseOf(problem !== null ? "showProblem" : "showConfirmation", given);
}

/** The policy of the flow's own page is a header like any other. */
function withPolicy(reply: Reply): Pick<Reply, "status" | "headers" | "body"> {
  const { body, headers, policy, status } = reply;
  return { body, headers: policy === null ? headers : [...headers, ["content-security-policy", policy]], status };
}

/** Checks what a hook has returned, so that a mistake does not look like a login without an answer. */
function responseOf(name: string, given: unknown): Response | undefined {
  if (given === undefined || given === null) return undefined;
  if (isResponse(given)) return given;
  throw invalidOption(`${name} returned neither a Response nor undefined`);
}

/** Not `instanceof`: test runners and servers have classes of their own. */
export function isResponse(value: unknown): value is Response {
  return typeof value === "object" && value !== null && "status" in value && "headers" in value;
}

/** Returns a response that renews the session, if that is due. A response that begins or ends a session stays as it is. */
export function renew(response: Response, session: Session | null): Response {
  if (session === null || session.renewal === null) return response;
  const [name = ""] = session.renewal.split("=", 1);
  const isSet = response.headers.getSetCookie().some((cookie) => cookie.startsWith(`${name}=`));
  // A status below 200 is not a response, but a switch to another protocol.
  return isSet || response.status < 200 ? response : withCookies(response, [session.renewal]);
}

/** Returns a copy of a response with further cookies. The site may keep the response, and send it to others. */
export function withCookies(response: Response, cookies: readonly string[]): Response {
  if (cookies.length === 0) return response;
  const copy = new Response(response.body, response);
  for (const cookie of cookies) copy.headers.append("set-cookie", cookie);
  return copy;
}
