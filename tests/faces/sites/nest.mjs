// A site on NestJS, for the cases of all integrations. The platform is Express or Fastify.
import { require, serve } from "./control.mjs";

const { All, Controller, Get, Post, Req, Res, UseGuards } = require("@nestjs/common");
const { NestFactory } = require("@nestjs/core");
const { ExpressAdapter } = require("@nestjs/platform-express");
const { FastifyAdapter } = require("@nestjs/platform-fastify");
const { PortierGuard, PortierModule, PortierService, Session } = require("portier-client/nest");

const IS_FASTIFY = process.argv[2] === "fastify";

await serve(async (options, site) => {
  class Pages {
    constructor(service) {
      this.service = service;
    }

    start(request, response) {
      const { email, next } = site.start;
      return this.service.startLogin(request, response, email, next);
    }

    members() {
      return "for members";
    }

    session(session) {
      return { email: session?.email ?? null };
    }
  }
  // What the decorators of TypeScript would do.
  const decorate = (name, ...decorators) =>
    decorators.forEach((decorator) => decorator(Pages.prototype, name, Object.getOwnPropertyDescriptor(Pages.prototype, name)));
  Reflect.defineMetadata("design:paramtypes", [PortierService], Pages);
  Controller()(Pages);
  decorate("start", Post("start"));
  Req()(Pages.prototype, "start", 0);
  Res()(Pages.prototype, "start", 1);
  decorate("members", All("members"), UseGuards(PortierGuard));
  decorate("session", Get("session"));
  Session()(Pages.prototype, "session", 0);

  const module = {
    module: class {},
    imports: [PortierModule.forRootAsync({ useFactory: async () => ({ ...options, healthPath: "/healthz" }) })],
    controllers: [Pages],
  };
  const adapter = IS_FASTIFY ? new FastifyAdapter() : new ExpressAdapter();
  const app = await NestFactory.create(module, adapter, { abortOnError: false, logger: false });
  const setCookie = (request, response, next) => {
    if (site.setsCookies) response.appendHeader("set-cookie", "seen=1; Path=/");
    next();
  };
  if (IS_FASTIFY) {
    adapter.getInstance().addHook("onRequest", async (request, reply) => {
      if (site.setsCookies) reply.header("set-cookie", "seen=1; Path=/");
    });
  } else {
    app.use(setCookie);
  }
  await app.init();
  if (!IS_FASTIFY) return adapter.getInstance();
  await adapter.getInstance().ready();
  return adapter.getInstance().routing;
});
