import { LoginRefused } from "../errors.js";
import type { Reply, Step } from "../step.js";
import type { Hooks } from "./options.js";
import type { Sessions } from "./sessions.js";

/** How responses are sent in a framework. */
export interface Face<Response> {
  /** Sets status and headers, without sending them. */
  prepare(response: Response, status: number, headers: Reply["headers"]): void;
  /** Adds values of `Set-Cookie` to those of the site. */
  addCookies(response: Response, cookies: readonly string[]): void;
  /** Sets the cookies that are added to a response with a status below 400. */
  addCookiesOnceSuccessful(response: Response, cookies: readonly string[]): void;
  send(response: Response, body: string): void;
  /** Runs a hook of the site, which may respond. What it sends after it has returned is refused. */
  runHook(response: Response, name: string, hook: (response: Response) => unknown): Promise<HookResult>;
}

/** The result of a hook. */
export interface HookResult {
  readonly answered: boolean;
  readonly result: unknown;
}

/** The parts of an integration that all requests share. */
export interface Site<Request extends object, Response> {
  readonly hooks: Hooks<[request: Request, response: Response]>;
  readonly face: Face<Response>;
  readonly sessions: Sessions<Request>;
}

/** Runs the hooks of the site for a step, and sends the response. */
export async function answer<Request extends object, Response>(
  step: Step,
  { hooks, face, sessions }: Site<Request, Response>,
  request: Request,
  response: Response,
): Promise<void> {
  const { confirmation, error, login, loginCookies, problem, reply, session } = step;
  const { onLogin, onLoginError, showConfirmation, showProblem } = hooks;
  const run = (name: string, hook: (response: Response) => unknown): Promise<HookResult> =>
    face.runHook(response, name, hook);
  if (login !== null) {
    face.addCookiesOnceSuccessful(response, [...reply.cookies, ...loginCookies]);
    sessions.begin(request, session);
    try {
      if (onLogin && (await run("onLogin", (response) => onLogin(login, request, response))).answered) return;
    } catch (error) {
      face.addCookiesOnceSuccessful(response, []);
      sessions.forget(request);
      if (!(error instanceof LoginRefused)) throw error;
      return answer(step.refuse(error), { hooks, face, sessions }, request, response);
    }
  } else {
    face.addCookies(response, reply.cookies);
  }
  if (error !== null && onLoginError) {
    if ((await run("onLoginError", (response) => onLoginError(error, request, response))).answered) return;
  }
  face.prepare(response, reply.status, reply.headers);
  let shown: HookResult | undefined;
  if (problem !== null && showProblem) {
    shown = await run("showProblem", (response) => showProblem(problem, request, response));
  } else if (confirmation !== null && showConfirmation) {
    shown = await run("showConfirmation", (response) => showConfirmation(confirmation, request, response));
  }
  if (shown?.answered) return;
  if (typeof shown?.result === "string") return face.send(response, shown.result);
  if (reply.policy !== null) face.prepare(response, reply.status, [["content-security-policy", reply.policy]]);
  face.send(response, reply.body);
}
