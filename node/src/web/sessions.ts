import type { LoginFlow } from "../login-flow.js";
import type { Session } from "../session.js";
import type { AnyRequest } from "../web-request.js";

type Headers = AnyRequest["headers"];

/** The sessions of requests: each is looked up once, and renewed at most once. */
export class Sessions<Request extends object> {
  readonly #flow: LoginFlow;
  readonly #known = new WeakMap<Request, Promise<Session | null>>();


  constructor(flow: LoginFlow) {
    this.#flow = flow;
  }

  /** The session of a request; `setCookie` is given the cookie that renews it, if that is due. */
  of(request: Request, headers: Headers, setCookie?: (cookie: string) => void): Promise<Session | null> {
    const known = this.#known.get(request) ?? this.#read(headers, setCookie);
    this.#known.set(request, known);
    return known;
  }

  /** The session of a request if it was looked up, without an error. */
  async known(request: Request): Promise<Session | null> {
    try {
      return (await this.#known.get(request)) ?? null;
    } catch {
      return null;
    }
  }

  /** Remembers the session that a login begins, for the hook of the site. */
  begin(request: Request, session: Session | null): void {
    if (session !== null) this.#known.set(request, Promise.resolve(session));
  }

  /** Nobody is signed in after all: the hook of the site has failed. */
  forget(request: Request): void {
    if (this.#known.has(request)) this.#known.set(request, Promise.resolve(null));
  }

  async #read(headers: Headers, setCookie?: (cookie: string) => void): Promise<Session | null> {
    const session = await this.#flow.session({ headers });
    if (session !== null && session.renewal !== null) setCookie?.(session.renewal);
    return session;
  }
}
