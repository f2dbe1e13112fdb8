import { invalidOption } from "../errors.js";
import type { LoginFlow } from "../login-flow.js";
import type { Session } from "../session.js";
import type { Step } from "../step.js";
import type { AnyRequest } from "../web-request.js";

type Headers = AnyRequest["headers"];

/** The sessions of requests: each is looked up once, and renewed at most once. */
export class Sessions<Request extends object> {
  readonly #flow: LoginFlow;
  readonly #areOn: boolean;
  readonly #known = new WeakMap<Request, Promise<Session | null>>();
  readonly #current = new WeakMap<Request, Session>();

  /** `areOn`: whether the site has given a secret. */
  constructor(flow: LoginFlow, areOn: boolean) {
    this.#flow = flow;
    this.#areOn = areOn;
  }

  /** The session of a request; `setCookie` is given the cookie that renews it, if that is due. */
  of(request: Request, headers: Headers, setCookie?: (cookie: string) => void): Promise<Session | null> {
    const known = this.#known.get(request) ?? this.#read(request, headers, setCookie);
    this.#known.set(request, known);
    return known;
  }

  /** Answers a request of somebody who is not signed in. */
  requireLogin(request: Pick<AnyRequest, "method" | "headers">): Step {
    if (this.#areOn) return this.#flow.requireLogin(request);
    throw invalidOption("requireLogin needs the option secret; a guard of sessions of your own answers with flow.requireLogin");
  }

  /** The session of a request if it was looked up, without an error. */
  async known(request: Request): Promise<Session | null> {
    try {
      return (await this.#known.get(request)) ?? null;
    } catch {
      return null;
    }
  }

  /** The session of a request that was looked up, if somebody is signed in. */
  current(request: Request): Session | undefined {
    return this.#current.get(request);
  }

  /** Remembers the session that a login begins, for the hook of the site. */
  begin(request: Request, session: Session | null): void {
    if (session === null) return;
    this.#known.set(request, Promise.resolve(session));
    this.#current.set(request, session);
  }

  /** Nobody is signed in after all: the hook of the site has failed. */
  forget(request: Request): void {
    if (this.#known.has(request)) this.#known.set(request, Promise.resolve(null));
    this.#current.delete(request);
  }

  async #read(request: Request, headers: Headers, setCookie?: (cookie: string) => void): Promise<Session | null> {
    const session = await this.#flow.session({ headers });
    if (session === null) return null;
    if (session.renewal !== null) setCookie?.(session.renewal);
    this.#current.set(request, session);
    return session;
  }
}
