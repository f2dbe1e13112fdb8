import { Catch, createParamDecorator, HttpException, Inject, SetMetadata, type ArgumentsHost } from "@nestjs/common";
import { Reflector } from "@nestjs/core";
import type { Response as ExpressResponse } from "express";
import type { FastifyReply } from "fastify";

import type { Session as OwnSession } from "../session.js";
import type { Reply } from "../step.js";
import { PortierService, serviceOf } from "./nest-service.js";

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
    const { reply } = this.#service.sessions.requireLogin(request);
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

/** Nobody is signed in. The headers of the reply are set already. */
class NotSignedIn extends HttpException {
  constructor(readonly reply: Reply) {
    super(reply.body === "" ? "nobody is signed in" : (JSON.parse(reply.body) as object), reply.status);
  }
}

/** Sends the reply, unless a filter of the site does something else. */
export class NotSignedInFilter {
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
