import type { PortierClient } from "../client.js";
import { invalidOption } from "../errors.js";
import type { LoginFlow } from "../login-flow.js";
import type { Session } from "../session.js";
import type { LoginOptions } from "./options.js";
import { readSite, type Paths } from "./routes.js";
import { Sessions } from "./sessions.js";

/**
 * The options of `PortierModule`. The hooks get the request and the response of the platform, which are those of
 * Express or of Fastify. A global prefix is not added to the paths.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type PortierModuleOptions<Request = any, Response = any> = LoginOptions<[request: Request, response: Response]> & Paths;

/** What an integration offers, once it is mounted. */
export interface Mounted {
  session(request: object, response: object): Promise<Session | null>;
  startLogin(request: object, response: object, email: string, nextPage?: string): Promise<unknown>;
}

/** The login of the site, for providers and controllers. */
export class PortierService {
  /** The client that logs people in. */
  readonly client: PortierClient;
  /** The flow, which has among others `safeNext`, `explain` and `formPolicy`. */
  readonly flow: LoginFlow;
  /** @internal */
  readonly options: PortierModuleOptions;
  /** @internal */
  readonly sessions: Sessions<object>;
  #mounted: Mounted | undefined;

  /** @internal */
  constructor(options: PortierModuleOptions) {
    this.client = options.client;
    const { flow, hasSessions } = readSite(options);
    this.flow = flow;
    this.sessions = new Sessions(flow, hasSessions);
    this.options = options;
  }

  /**
   * Returns the session of a request. It is read once for each request, and its cookie is renewed if necessary. In
   * `onLogin` it is the new session.
   *
   * It is `null` if nobody is signed in, or without the option `secret`.
   */
  session(request: object, response: object): Promise<Session | null> {
    return this.#routes.session(request, response);
  }

  /**
   * Starts a login for `email`, for sites whose form has other fields. Check yourself where the request comes from. The
   * controller injects the response (`@Res()`) and returns nothing.
   *
   * The login leads to `nextPage`. A page that would leave the site is dropped.
   */
  async startLogin(request: object, response: object, email: string, nextPage?: string): Promise<void> {
    await this.#routes.startLogin(request, response, email, nextPage);
  }

  /** @internal */
  set mounted(mounted: Mounted) {
    this.#mounted = mounted;
  }

  get #routes(): Mounted {
    if (this.#mounted === undefined) throw invalidOption("the site has not started: await app.init() or app.listen()");
    return this.#mounted;
  }
}

/** The services by the application of the platform: a decorator of a parameter gets only the request. */
export const services = new WeakMap<object, PortierService>();

/** The service of the site that has received a request. */
export function serviceOf({ app, server }: { app?: object; server?: object }): PortierService {
  const service = services.get(app ?? server ?? {});
  if (service === undefined) throw invalidOption("PortierModule is not imported");
  return service;
}
