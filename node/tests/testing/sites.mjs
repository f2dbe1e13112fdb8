// The same small site in each framework: a login page, a page for members, and a form to sign out.
import { createServer } from "node:http";

import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { NestFactory } from "@nestjs/core";
import { ExpressAdapter } from "@nestjs/platform-express";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import PortierClient from "portier-client";
import * as forExpress from "portier-client/express";
import * as forFastify from "portier-client/fastify";
import * as forHono from "portier-client/hono";
import * as forKoa from "portier-client/koa";
import { PortierModule } from "portier-client/nest";
import * as forNode from "portier-client/node";
import * as forFetch from "portier-client/web";

import { pages } from "../web/nest_site.mjs";

export const FORM = `<form method="post" action="/login"><input type="email" name="email"><button>Sign in</button></form>`;
const OPTIONS = { secret: "o9Xz-Q3kPw7_uJ2rT5yB8nV1cM4sD6fG", loginUrl: "/login" };

/** The client of a site. */
export function clientOf(broker, { redirectUri = "https://example.com/verify", ...options } = {}) {
  // A store makes `used` visible; without one, logins would be sealed with the secret.
  return new PortierClient({ redirectUri, broker: broker.origin, store: "memory:", ...options });
}

/** The sites, by the name of what `login` takes. Each is made of a client and further options of its integration. */
export const SITES = {
  "a handler of fetch": (client, more) => fetchSite(client, more),
  "an object with fetch": (client, more) => ({ fetch: fetchSite(client, more) }),
  "a site of Hono"(client, more) {
    const app = new Hono();
    const { middleware, requireLogin } = forHono.portier({ client, ...OPTIONS, ...more });
    app.use(middleware);
    app.get("/login", (c) => c.html(FORM));
    app.get("/members", requireLogin, (c) => c.text(`for ${c.var.session.email}`));
    return app;
  },
  "a site of Express"(client, more) {
    const app = express();
    const { login, logout, requireLogin, session, verify } = forExpress.portier({ client, ...OPTIONS, ...more });
    app.use(verify);
    app.post("/login", login);
    app.post("/logout", logout);
    app.get("/login", (request, response) => response.send(FORM));
    app.get("/members", requireLogin, async (request, response) => {
      response.send(`for ${(await session(request)).email}`);
    });
    return app;
  },
  "a site of Koa"(client, more) {
    const app = new Koa();
    const { middleware, requireLogin } = forKoa.portier({ client, ...OPTIONS, ...more });
    app.use(middleware);
    app.use((ctx, next) => {
      if (ctx.path === "/login") ctx.body = FORM;
      else if (ctx.path === "/members") return requireLogin(ctx, () => (ctx.body = `for ${ctx.state.session.email}`));
      else return next();
    });
    return app;
  },
  "the callback of Koa": (client, more) => SITES["a site of Koa"](client, more).callback(),
  "a handler of node:http": (client, more) => listener(client, more),
  "a server that does not listen": (client, more) => createServer(listener(client, more)),
  async "a site of Fastify"(client, more) {
    const app = Fastify();
    await app.register(forFastify.portier, { client, loginPath: "/login", ...OPTIONS, ...more });
    app.get("/login", (request, reply) => reply.type("text/html").send(FORM));
    app.get("/members", { onRequest: app.portier.requireLogin }, (request, reply) => {
      reply.send(`for ${request.portierSession.email}`);
    });
    return app;
  },
  "a site of NestJS on Express": (client, more) => nestSite(new ExpressAdapter(), client, more),
  "a site of NestJS on Fastify": (client, more) => nestSite(new FastifyAdapter(), client, more),
  async "the server of a site of NestJS"(client, more) {
    return (await nestSite(new ExpressAdapter(), client, more)).getHttpServer();
  },
};

function fetchSite(client, more) {
  const { handle, requireLogin } = forFetch.portier({ client, ...OPTIONS, ...more });
  return (request) =>
    handle(request, async () => {
      const { pathname } = new URL(request.url);
      if (pathname === "/login") return new Response(FORM, { headers: { "content-type": "text/html" } });
      if (pathname !== "/members") return new Response("nowhere", { status: 404 });
      const visitor = await requireLogin(request);
      return visitor instanceof Response ? visitor : new Response(`for ${visitor.email}`);
    });
}

function listener(client, more) {
  const { handle, requireLogin } = forNode.portier({ client, ...OPTIONS, ...more });
  return async (request, response) => {
    if (await handle(request, response)) return;
    if (request.url === "/login") return response.end(FORM);
    if (request.url !== "/members") return response.writeHead(404).end("nowhere");
    const visitor = await requireLogin(request, response);
    if (visitor !== null) response.end(`for ${visitor.email}`);
  };
}

async function nestSite(adapter, client, more) {
  const root = { module: class {}, imports: [PortierModule.forRoot({ client, ...OPTIONS, ...more })], controllers: [pages()] };
  const app = await NestFactory.create(root, adapter, { abortOnError: false, logger: false });
  await app.init();
  return app;
}
