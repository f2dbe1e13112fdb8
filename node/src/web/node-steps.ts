import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";

import type { LoginFlow } from "../login-flow.js";
import type { Session } from "../session.js";
import type { Step } from "../step.js";
import { takeForm } from "../web-request.js";
import { answer, type Site } from "./hooks.js";
import { nodeFace, type NodeResponse } from "./node-face.js";
import type { Hooks } from "./options.js";
import { Sessions } from "./sessions.js";

/** A request of `node:http`, of `node:http2` in its compatible form, or of a framework that extends them. */
export interface NodeRequest extends Readable {
  method?: string | undefined;
  url?: string | undefined;
  headers: IncomingHttpHeaders;
  /** Where parsers keep the body. */
  body?: unknown;
}

/** Answers requests of `node:http` by the steps of a flow. */
export class NodeSteps<Request extends NodeRequest, Response extends NodeResponse> {
  readonly #flow: LoginFlow;
  readonly #site: Site<Request, Response>;

  constructor(flow: LoginFlow, hooks: Hooks<[request: Request, response: Response]>, hasSessions: boolean) {
    this.#flow = flow;
    this.#site = { hooks, face: nodeFace<Response>((response) => response), sessions: new Sessions(flow, hasSessions) };
  }

  async login(request: Request, response: Response): Promise<void> {
    await this.#answer(await this.#flow.login(await takeForm(request, request, request)), request, response);
  }

  async callback(request: Request, response: Response): Promise<void> {
    await this.#answer(await this.#flow.callback(await takeForm(request, request, request)), request, response);
  }

  async logout(request: Request, response: Response): Promise<void> {
    await this.#answer(await this.#flow.logout(request), request, response);
  }

  async health(request: Request, response: Response): Promise<void> {
    await this.#answer(await this.#flow.health(request), request, response);
  }

  async startLogin(request: Request, response: Response, email: string, nextPage?: string): Promise<void> {
    await this.#answer(await this.#flow.start(request, email, nextPage), request, response);
  }

  /** The session of a request. Without a response, it is not renewed. */
  session(request: Request, response: Response | undefined): Promise<Session | null> {
    return this.#site.sessions.of(request, request.headers, (cookie) => {
      if (response !== undefined && !response.headersSent) response.appendHeader("set-cookie", cookie);
    });
  }

  /** The session of a request; `null` if it was answered, because nobody is signed in. */
  async requireLogin(request: Request, response: Response): Promise<Session | null> {
    const session = await this.session(request, response);
    if (session === null) await this.#answer(this.#site.sessions.requireLogin(request), request, response);
    return session;
  }

  #answer(step: Step, request: Request, response: Response): Promise<void> {
    return answer(step, this.#site, request, response);
  }
}
