import type { IncomingHttpHeaders } from "node:http";

import { safeNext } from "../email.js";
import { BrowserMismatch, PortierError, SessionUsed } from "../errors.js";
import type { Login } from "../login.js";
import { page, PAGE_HEADERS, seeOther, type Answer } from "./answer.js";
import {
  confirmationOf,
  cookieOf,
  fieldsToConfirm,
  fieldsToPostAgain,
  isPostedAgain,
  newSecret,
  secretOf,
} from "./binding.js";
import { Confirmation, confirmationPage, pageThatPosts } from "./confirmation.js";
import { field, isFromElsewhere, unacceptable } from "./form.js";
import { fragmentPage } from "./fragment.js";
import type { Site } from "./options.js";
import {
  explain,
  FROM_ELSEWHERE,
  NO_COOKIES,
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
  /** Adds a `Set-Cookie`, and leaves those of the site alone. */
  addCookie(response: Response, cookie: string): void;
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
    const { browserBinding, client } = this.#site;
    const before = secretOf(this.#framework.headers(request), client);
    const browser = browserBinding === "off" ? null : (before ?? newSecret());
    const url = await this.#attempt(request, response, () =>
      client.authenticate(email, { session: this.safeNext(nextPage), browser }),
    );
    if (url === undefined) return;
    if (browser !== null) this.#framework.addCookie(response, cookieOf(browser, client));
    this.#answer(response, seeOther(url));
  }

  /** Takes the broker's answer. */
  async verify(request: Request, response: Response): Promise<void> {
    const form = await this.#form(request, response);
    if (form === undefined) return;
    const login = await this.#attempt(request, response, () =>
      this.#complete(form, request, response),
    );
    if (login !== undefined) await this.#signIn(login, request, response);
  }

  /** Answers a visit to the redirect URI: nobody's link, mail scanner or reload completes a login. */
  async visit(request: Request, response: Response): Promise<void> {
    if (this.#site.client.responseMode !== "fragment") {
      return this.refuse(POST_ONLY, request, response);
    }
    this.#answer(response, fragmentPage());
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

  /** Completes a login; `undefined` if the request has been answered otherwise. */
  async #complete(form: object, request: Request, response: Response): Promise<Login | undefined> {
    const { browserBinding, client, defaultNext } = this.#site;
    if (browserBinding === "off") return client.complete(form);
    const browser = await this.#browser(form, request, response);
    if (browser === undefined) return undefined;
    const asks = browserBinding === "confirm";
    const confirmation = asks ? confirmationOf(form) : undefined;
    try {
      return await client.complete(form, { browser, confirmation });
    } catch (error) {
      if (error instanceof SessionUsed && error.sameBrowser) {
        // A reload, or a second answer: this browser has completed this very login.
        this.#answer(response, seeOther(defaultNext));
        return undefined;
      }
      if (!asks || !(error instanceof BrowserMismatch) || error.confirmation === null) throw error;
      const fields = fieldsToConfirm(form, error.confirmation);
      await this.#confirm(new Confirmation(error.email, fields), request, response);
      return undefined;
    }
  }

  /** The secret of the browser; `undefined` if its form has to come again, or cannot be taken. */
  async #browser(form: object, request: Request, response: Response): Promise<string | undefined> {
    const { client } = this.#site;
    const headers = this.#framework.headers(request);
    const known = secretOf(headers, client);
    if (known !== undefined) return known;
    if (!isPostedAgain(form, headers)) {
      this.#answer(response, pageThatPosts(fieldsToPostAgain(form)));
      return undefined;
    }
    if (confirmationOf(form) !== undefined) {
      // The cookie that came with the question is not there.
      await this.refuse(NO_COOKIES, request, response);
      return undefined;
    }
    // This browser did not start the login; from here on it can be told from others.
    const secret = newSecret();
    this.#framework.addCookie(response, cookieOf(secret, client));
    return secret;
  }

  /** Asks the person whether to go on in this browser. */
  async #confirm(question: Confirmation, request: Request, response: Response): Promise<void> {
    const { loginUrl, showConfirmation } = this.#site;
    if (showConfirmation === undefined) {
      return this.#answer(response, confirmationPage(question, loginUrl));
    }
    this.#framework.prepare(response, page(200, "", PAGE_HEADERS));
    const { result } = await this.#framework.ask(response, () =>
      showConfirmation(question, request, response),
    );
    if (typeof result === "string") this.#framework.send(response, result);
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
