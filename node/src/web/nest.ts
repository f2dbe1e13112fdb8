/**
 * Log people in from a NestJS site.
 *
 * @packageDocumentation
 */

import { Inject } from "@nestjs/common";
import { APP_FILTER, HttpAdapterHost } from "@nestjs/core";

import { invalidOption } from "../errors.js";
import { NotSignedInFilter, PortierGuard } from "./nest-guard.js";
import { onExpress, onFastify } from "./nest-platforms.js";
import { PortierService, services, type PortierModuleOptions } from "./nest-service.js";

export type { BrowserBinding } from "../login-flow.js";
export type { Confirmation, Problem } from "../step.js";
export { cookieFlags, loginPolicy } from "./options.js";
export type { CookieFlags } from "./options.js";
export { PortierGuard, Public, Session } from "./nest-guard.js";
export type { HttpContext } from "./nest-guard.js";
export { PortierService } from "./nest-service.js";
export type { PortierModuleOptions } from "./nest-service.js";

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

// What the decorators of Nest do.
Inject(PortierService)(PortierModule, undefined, 0);
Inject(HttpAdapterHost)(PortierModule, undefined, 1);
