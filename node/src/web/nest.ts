/**
 * Log people in from a NestJS site.
 *
 * @packageDocumentation
 */

import { Catch, createParamDecorator, HttpException, Inject, SetMetadata, type ArgumentsHost } from "@nestjs/common";
import { APP_FILTER, HttpAdapterHost, Reflector } from "@nestjs/core";
import type { Application, Request as ExpressRequest, RequestHandler, Response as ExpressResponse } from "express";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { PortierClient } from "../client.js";
import { invalidOption } from "../errors.js";
import type { LoginFlow } from "../login-flow.js";
import type { Session as OwnSession } from "../session.js";
import type { Reply } from "../step.js";
import { portier as forExpress } from "./express.js";
import { portier as forFastify } from "./fastify.js";
import type { LoginOptions } from "./options.js";
import { readSite, type Paths } from "./routes.js";

export type { BrowserBinding } from "../login-flow.js";
export type { Confirmation, Problem } from "../step.js";
export { cookieFlags, loginPolicy } from "./options.js";
export type { CookieFlags } from "./options.js";

/**
 * The options of {@link PortierModule}. The hooks get the request and the response of the platform, which are those of
 * Express or of Fastify. A global prefix is not added to the paths.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type PortierModuleOptions<Request = any, Response = any> = LoginOptions<[request: Request, response: Response]> & Paths;

/** The options of {@link PortierModule.forRootAsync}. */
export interface PortierModuleAsyncOptions {
  /** The modules with the providers that the factory needs. */
  imports?: any[];
  /** The tokens of the arguments of the factory. */
  inject?: any[];
  /** Returns the options, or a promise. */
  useFactory: (...dependencies: any[]) => PortierModuleOptions | Promise<PortierModuleOptions>;
}

/** A dynamic module of Nest, with what it exports. */
export interface PortierDynamicModule {
  module: typeof PortierModule;
  global: true;
  imports: any[];
  providers: any[];
  exports: any[];
}

/** The parts of an execution context of Nest that a guard reads. */
export interface HttpContext {
  switchToHttp(): { getRequest(): any; getResponse(): any };
  getHandler(): Function;
  getClass(): Function;
}

/** The person who is signed in. */
export type Session = OwnSession;

/**
 * A decorator for parameters: the session of the request, or `null` if nobody is signed in. Behind {@link PortierGuard},
 * there is always a session.
 *
 * ```ts
 * @Get("members")
 * @UseGuards(PortierGuard)
 * members(@Session() { email }: Session) {
 *   return `You are ${email}`;
 * }
 * ```
 */
export const Session: () => ParameterDecorator = createParamDecorator((_data: unknown, context: HttpContext) => {
  const http = context.switchToHttp();
  return serviceOf(http.getRequest()).session(http.getRequest(), http.getResponse());
});

const IS_PUBLIC = "portier-client:public";

/** A decorator for controllers and routes that need no login, if {@link PortierGuard} is a global guard. */
export const Public = (): ClassDecorator & MethodDecorator => SetMetadata(IS_PUBLIC, true);

/** The login of the site, for providers and controllers. */
export class PortierService {
  /** The client that logs people in. */
  readonly client: PortierClient;
  /** The flow, which has among others `safeNext`, `explain` and `formPolicy`. */
  readonly flow: LoginFlow;
  /** @internal */
  readonly options: PortierModuleOptions;
  #mounted: Mounted | undefined;

  /** @internal */
  constructor(options: PortierModuleOptions) {
    this.client = options.client;
    this.flow = readSite(options).flow;
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

/**
 * Lets only people pass who are signed in. Others are redirected to the login page, and after the login back to this
 * page. A script gets a problem (401). The guard throws an `HttpException` with this status, to which a filter of the site
 * may respond otherwise.
 *
 * As a global guard, it guards all routes except those with {@link Public}:
 *
 * ```ts
 * providers: [{ provide: APP_GUARD, useExisting: PortierGuard }]
 * ```
 */
export class PortierGuard {
  readonly #service: PortierService;

  constructor(service: PortierService) {
    this.#service = service;
  }

  async canActivate(context: HttpContext): Promise<boolean> {
    if (new Reflector().getAllAndOverride(IS_PUBLIC, [context.getHandler() as never, context.getClass() as never])) return true;
    const [request, response] = [this.getRequest(context), this.getResponse(context)];
    if ((await this.#service.session(request, response)) !== null) return true;
    const { reply } = this.#service.flow.requireLogin(request);
    for (const [name, value] of reply.headers) response.header(name, value);
    throw new NotSignedIn(reply);
  }

  /** The request of the platform. A subclass may find it elsewhere, for example in a context of GraphQL. */
  getRequest(context: HttpContext): any {
    return context.switchToHttp().getRequest();
  }

  /** The response of the platform. */
  getResponse(context: HttpContext): any {
    return context.switchToHttp().getResponse();
  }
}

/**
 * The module that adds the routes of a login, for Nest on Express and on Fastify. Import it once; its service and its
 * guard are available in all modules.
 *
 * ```ts
 * @Module({
 *   imports: [
 *     PortierModule.forRoot({
 *       client: new PortierClient({ redirectUri: "https://example.com/verify" }),
 *       secret: process.env.SESSION_SECRET,
 *     }),
 *   ],
 * })
 * export class AppModule {}
 * ```
 */
export class PortierModule {
  readonly #service: PortierService;
  readonly #host: HttpAdapterHost;
  #isMounted = false;

  /** The module with these options. Creating the application fails with {@link ConfigError} if they are invalid. */
  static forRoot(options: PortierModuleOptions): PortierDynamicModule {
    return PortierModule.forRootAsync({ useFactory: () => options });
  }

  /** The module with options that depend on other providers. */
  static forRootAsync({ imports = [], inject = [], useFactory }: PortierModuleAsyncOptions): PortierDynamicModule {
    const make = async (...given: unknown[]): Promise<PortierService> => new PortierService(await useFactory(...given));
    const service = { provide: PortierService, useFactory: make, inject };
    const providers = [service, PortierGuard, { provide: APP_FILTER, useClass: NotSignedInFilter }];
    return { module: PortierModule, global: true, imports, providers, exports: [PortierService, PortierGuard] };
  }

  /** @internal */
  constructor(service: PortierService, host: HttpAdapterHost) {
    this.#service = service;
    this.#host = host;
    if (host.httpAdapter) this.#comeBeforeParsers();
    else host.init$?.subscribe(() => this.#comeBeforeParsers());
  }

  /** Called by Nest, after the site has added its plugins and middleware. */
  configure(): void {
    if (!this.#isMounted) this.#mount();
  }

  /** So that the flow reads forms itself, with its own limit. The middleware of the site comes before both. */
  #comeBeforeParsers(): void {
    const adapter = this.#host.httpAdapter;
    if (adapter.getType() !== "express") return;
    const addParsers = adapter.registerParserMiddleware.bind(adapter);
    adapter.registerParserMiddleware = (...parameters) => {
      this.configure();
      return addParsers(...parameters) as unknown;
    };
  }

  #mount(): void {
    const { httpAdapter: adapter } = this.#host;
    const mount = { express: onExpress, fastify: onFastify }[adapter.getType()];
    if (mount === undefined) throw invalidOption(`Nest has to run on Express or Fastify platform=${adapter.getType()}`);
    const server: object = adapter.getInstance();
    if (services.has(server)) throw invalidOption("PortierModule is imported twice");
    services.set(server, this.#service);
    this.#service.mounted = mount(server as never, this.#service);
    this.#isMounted = true;
  }
}

/** Nobody is signed in. The headers of the reply are set already. */
class NotSignedIn extends HttpException {
  constructor(readonly reply: Reply) {
    super(reply.body === "" ? "nobody is signed in" : (JSON.parse(reply.body) as object), reply.status);
  }
}

/** Sends the reply, unless a filter of the site does something else. */
class NotSignedInFilter {
  catch({ reply }: NotSignedIn, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<ExpressResponse | FastifyReply>();
    response.status(reply.status);
    // Not `send()` of Express, which adds an `ETag`.
    if ("end" in response) response.end(reply.body);
    else response.send(reply.body === "" ? undefined : reply.body);
  }
}

// What the decorators of Nest do.
Catch(NotSignedIn)(NotSignedInFilter);
Inject(PortierService)(PortierGuard, undefined, 0);
Inject(PortierService)(PortierModule, undefined, 0);
Inject(HttpAdapterHost)(PortierModule, undefined, 1);

/** What an integration offers, once it is mounted. */
interface Mounted {
  session(request: object, response: object): Promise<Session | null>;
  startLogin(request: object, response: object, email: string, nextPage?: string): Promise<unknown>;
}

/** The services by the application of the platform: a decorator of a parameter gets only the request. */
const services = new WeakMap<object, PortierService>();

function serviceOf({ app, server }: { app?: object; server?: object }): PortierService {
  const service = services.get(app ?? server ?? {});
  if (service === undefined) throw invalidOption("PortierModule is not imported");
  return service;
}

function onExpress(app: Application, { options }: PortierService): Mounted {
  const { routes } = readSite(options);
  const { loginPath, logoutPath, ...others } = options;
  const { login, logout, session, startLogin, verify } = forExpress(others);
  const handlers = { login, logout, callback: verify };
  const handle: RequestHandler = (request, response, next) => {
    const route = routes.find(request.method, request.originalUrl);
    return route === undefined ? next() : handlers[route](request, response, next);
  };
  app.use(handle);
  return {
    session: (request) => session(request as ExpressRequest),
    startLogin: (request, response, email, nextPage) =>
      startLogin(request as ExpressRequest, response as ExpressResponse, email, nextPage),
  };
}

function onFastify(app: FastifyInstance, { options }: PortierService): Mounted {
  const { loginPath = "/login", ...others } = options;
  // Not awaited, so that it begins after Nest has set the error handler of the site.
  app.register(forFastify, { ...others, ...(loginPath !== null && { loginPath }) });
  return {
    session: (request, response) => app.portier.session(request as FastifyRequest, response as FastifyReply),
    startLogin: (request, response, email, nextPage) =>
      app.portier.startLogin(request as FastifyRequest, response as FastifyReply, email, nextPage),
  };
}
