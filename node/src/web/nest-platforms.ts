import type { Application, Request as ExpressRequest, RequestHandler, Response as ExpressResponse } from "express";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { portier as forExpress } from "./express.js";
import { portier as forFastify } from "./fastify.js";
import type { Mounted, PortierService } from "./nest-service.js";
import { readSite } from "./routes.js";

/** Adds the routes to an application of Express. */
export function onExpress(app: Application, { options }: PortierService): Mounted {
  const { routes } = readSite(options);
  const { loginPath, logoutPath, healthPath, ...others } = options;
  const { health, login, logout, session, startLogin, verify } = forExpress(others);
  const handlers = { health, login, logout, callback: verify };
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

/** Adds the routes to an application of Fastify. */
export function onFastify(app: FastifyInstance, { options }: PortierService): Mounted {
  // Not awaited, so that it begins after Nest has set the error handler of the site.
  app.register(forFastify, options);
  return {
    session: (request, response) => app.portier.session(request as FastifyRequest, response as FastifyReply),
    startLogin: (request, response, email, nextPage) =>
      app.portier.startLogin(request as FastifyRequest, response as FastifyReply, email, nextPage),
  };
}
