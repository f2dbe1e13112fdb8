import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { Readable } from "node:stream";

import { parsedForm, readBody } from "../body.js";
import type { LoginFlow } from "../login-flow.js";
import type { Session } from "../session.js";
import type { Step } from "../step.js";
import { queryOf, TakenRequest } from "../web-request.js";
import { answer, type Face, type Site } from "./hooks.js";
import type { Hooks } from "./options.js";
import { ResponseTracker } from "./response-tracker.js";
import { Sessions } from "./sessions.js";

/** A request of `node:http`, of `node:http2` in its compatible form, or of a framework that extends them. */
export interface NodeRequest extends Readable {
  method?: string | undefined;
  url?: string | undefined;
  headers: IncomingHttpHeaders;
  /** Where parsers keep the body. */
  body?: unknown;
}

/** The methods of a response of `node:http` and `node:http2` that an answer needs. */
export interface NodeResponse {
  statusCode: number;
  readonly headersSent: boolean;
  setHeader(name: string, value: string): unknown;
  appendHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

/** Answers requests of `node:http` by the steps of a flow. */
export class NodeSteps<Request extends NodeRequest, Response extends NodeResponse> {
  readonly #flow: LoginFlow;
  readonly #site: Site<Request, Response>;

  constructor(flow: LoginFlow, hooks: Hooks<[request: Request, response: Response]>) {
    this.#flow = flow;
    this.#site = { hooks, face: FACE as Face<Response>, sessions: new Sessions(flow) };
  }

  async login(request: Request, response: Response): Promise<void> {
    await this.#answer(await this.#flow.login(await taken(request)), request, response);
  }

  async callback(request: Request, response: Response): Promise<void> {
    await this.#answer(await this.#flow.callback(await taken(request)), request, response);
  }

  async logout(request: Request, response: Response): Promise<void> {
    await this.#answer(await this.#flow.logout(request), request, response);
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
    if (session === null) await this.#answer(this.#flow.requireLogin(request), request, response);
    return session;
  }

  #answer(step: Step, request: Request, response: Response): Promise<void> {
    return answer(step, this.#site, request, response);
  }
}

/** Reads a request, and leaves the fields of its form in `body`, as parsers do. */
async function taken(request: NodeRequest): Promise<TakenRequest> {
  const { headers, method = "" } = request;
  const wasRead = request.readableDidRead;
  const body = await readBody(request, request);
  if (!wasRead) request.body = parsedForm(body, headers);
  return new TakenRequest(method, headers, queryOf(request), body);
}

const FACE: Face<NodeResponse> = {
  prepare(response, status, headers) {
    response.statusCode = status;
    for (const [name, value] of headers) response.setHeader(name, value);
  },
  addCookies(response, cookies) {
    for (const cookie of cookies) response.appendHeader("set-cookie", cookie);
  },
  addCookiesOnceSuccessful(response, cookies) {
    trackerOf(response).cookies = cookies;
  },
  send(response, body) {
    // Not `send()` of Express, which adds an `ETag` and may respond with 304.
    response.end(body);
  },
  async runHook(response, name, hook) {
    const tracker = trackerOf(response);
    tracker.hook = name;
    const result = await hook(response);
    return { answered: tracker.hasBegun, result };
  },
};

function trackerOf(response: NodeResponse): ResponseTracker {
  return ResponseTracker.of(response as ServerResponse);
}
