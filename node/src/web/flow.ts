import type { IncomingHttpHeaders } from "node:http";

import { safeNext } from "../email.js";
import { PortierError } from "../errors.js";
import type { Login } from "../login.js";
import { page, seeOther, type Answer } from "./answer.js";
import { field, isFromElsewhere, unacceptable } from "./form.js";
import { FRAGMENT_PAGE } from "./fragment.js";
import type { Site } from "./options.js";
import {
  explain,
  FROM_ELSEWHERE,
  POST_ONLY,
  problemHeaders,
  problemPage,
  TOO_LARGE,
  type Problem,
} from "./problems.js";

/** How a framework is asked and told what a login needs. */
export interface Framework<Request, Response> {
  headers(request: Request): IncomingHttpHeaders;
  /** The form of a request that announces one; `undefined` if it is too large. */
  form(request: Request): Promise<object | undefined>;
  /** Sets status and headers, and sends nothing yet. */
  prepare(response: Response, answer: Answer): void;
  send(response: Response, body: string): void;
  /** Runs a function of the site, which may answer the request. */
  ask(response: Response, hook: () => unknown): Promise<Asked>;
  /** Notes a failed login where the framework has a log; `ours` if it is the site's to mend. */
  note(request: Request, error: PortierError, ours: boolean): void;
}

/** What came of asking the site. */
export interface Asked {
  readonly answered: boolean;
  readonly result: unknown;
}

/** The web side of a login, whatever the framework. */
export class LoginFlow<Request, Response> {
  readonly #site: Site<Request, Response>;
  readonly #framework: Framework<Request, Response>;

  constructor(site: Site<Request, Response>, framework: Framework<Request, Response>) {
    this.#site = site;
    this.#framework = framework;
  }

  /** Takes a login form of this site, with `email` and perhaps `next`. */
  async login(request: Request, response: Response): Promise<void> {
    const headers = this.#framework.headers(request);
    if (isFromElsewhere(headers, this.#site.client.clientId)) {
      return this.refuse(FROM_ELSEWHERE, request, response);
    }
    const form = await this.#form(request, response);
    if (form === undefined) return;
    await this.startLogin(request, response, field(form, "email"), field(form, "next"));
  }

  /** Sends the browser to the broker, to prove that `email` is its person's address. */
  async startLogin(
    request: Request,
    response: Response,
    email: string,
    nextPage = "",
  ): Promise<void> {
    const { client } = this.#site;
    const url = await this.#attempt(request, response, () =>
      client.authenticate(email, { session: this.safeNext(nextPage) }),
    );
    if (url !== undefined) this.#answer(response, seeOther(url));
  }

  /** Takes the broker's answer. */
  async verify(request: Request, response: Response): Promise<void> {
    const form = await this.#form(request, response);
    if (form === undefined) return;
    const login = await this.#attempt(request, response, () => this.#site.client.complete(form));
    if (login !== undefined) await this.#signIn(login, request, response);
  }

  /** Answers a visit to the redirect URI: nobody's link, mail scanner or reload completes a login. */
  async visit(request: Request, response: Response): Promise<void> {
    if (this.#site.client.responseMode !== "fragment") {
      return this.refuse(POST_ONLY, request, response);
    }
    this.#answer(response, FRAGMENT_PAGE);
  }

  /** Answers with a problem's status and page. */
  async refuse(problem: Problem, request: Request, response: Response): Promise<void> {
    const { loginUrl, showProblem } = this.#site;
    if (showProblem === undefined) return this.#answer(response, problemPage(problem, loginUrl));
    const { status } = problem;
    this.#framework.prepare(response, page(status, "", problemHeaders(problem)));
    const { result } = await this.#framework.ask(response, () =>
      showProblem(problem, request, response),
    );
    if (typeof result === "string") this.#framework.send(response, result);
  }

  /** The page, if a redirect may lead to it. */
  safeNext(page: unknown): string | null {
    return safeNext(page, this.#site.allowedHosts);
  }

  async #form(request: Request, response: Response): Promise<object | undefined> {
    const problem = unacceptable(this.#framework.headers(request));
    const form = problem === undefined ? await this.#framework.form(request) : undefined;
    if (form === undefined) await this.refuse(problem ?? TOO_LARGE, request, response);
    return form;
  }

  async #signIn(login: Login, request: Request, response: Response): Promise<void> {
    const { defaultNext, onLogin } = this.#site;
    const { answered } = await this.#framework.ask(response, () =>
      onLogin(login, request, response),
    );
    if (!answered) this.#answer(response, seeOther(this.safeNext(login.session) ?? defaultNext));
  }

  /** Does what may fail, and answers if it does. */
  async #attempt<T>(
    request: Request,
    response: Response,
    step: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof PortierError)) throw error;
      await this.#fail(error, request, response);
      return undefined;
    }
  }

  async #fail(error: PortierError, request: Request, response: Response): Promise<void> {
    const { onLoginError } = this.#site;
    const problem = explain(error);
    this.#framework.note(request, error, problem.status >= 500);
    if (onLoginError !== undefined) {
      const { answered } = await this.#framework.ask(response, () =>
        onLoginError(error, request, response),
      );
      if (answered) return;
    }
    await this.refuse(problem, request, response);
  }

  #answer(response: Response, answer: Answer): void {
    this.#framework.prepare(response, answer);
    this.#framework.send(response, answer.body);
  }
}
