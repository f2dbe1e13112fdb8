// Small sites on NestJS, without the decorators of TypeScript, on Express and on Fastify.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

import "reflect-metadata";
import { Controller, Get, UseGuards } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { ExpressAdapter } from "@nestjs/platform-express";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import PortierClient from "portier-client";
import { PortierGuard, PortierModule, Public, Session } from "portier-client/nest";

const ADAPTERS = { express: ExpressAdapter, fastify: FastifyAdapter };

/** The secret of sessions. */
export const SECRET = randomBytes(32).toString("base64url");

/** The platforms that Nest runs on. */
export const PLATFORMS = Object.keys(ADAPTERS);

/** Does what decorators on a method and its parameters do. */
export function decorate(type, name, decorators, parameters = []) {
  const method = Object.getOwnPropertyDescriptor(type.prototype, name);
  for (const decorator of decorators) decorator(type.prototype, name, method);
  parameters.forEach((decorator, place) => decorator(type.prototype, name, place));
}

/** A page for everybody, and one for people who are signed in. */
export function pages() {
  class Pages {
    index(session) {
      return session?.email ?? "nobody";
    }

    members({ email }) {
      return `for ${email}`;
    }
  }
  Controller()(Pages);
  decorate(Pages, "index", [Get(), Public()], [Session()]);
  decorate(Pages, "members", [Get("members"), UseGuards(PortierGuard)], [Session()]);
  return Pages;
}

/**
 * Serves a site until the test is over. `options` are those of the module, or a function of the client; `setUp` gets
 * the application before it starts.
 */
export async function serve(t, platform, broker, { options = {}, module = {}, create = {}, setUp = () => {}, path = "/verify" } = {}) {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const origin = `http://localhost:${server.address().port}`;
  const client = new PortierClient({ redirectUri: origin + path, broker: broker.origin });
  const secret = SECRET;
  const login = PortierModule.forRoot({ client, secret, ...options });
  const { controllers = [pages()], imports = [login], providers = [] } = module instanceof Function ? module(client) : module;
  const adapter = new ADAPTERS[platform]();
  const root = { module: class {}, imports, controllers, providers };
  const app = await NestFactory.create(root, adapter, { abortOnError: false, logger: false, ...create });
  t.after(() => app.close());
  await setUp(app);
  await app.init();
  server.on("request", await listenerOf(adapter.getInstance()));
  return { app, origin, client, broker };
}

async function listenerOf(instance) {
  if (instance.routing === undefined) return instance;
  await instance.ready();
  return instance.routing;
}

/** Logs in, with the paths of a site; returns the answer of the callback. */
export async function logIn(visitor, { origin, client, broker }, { path = "/login", next = "/members" } = {}) {
  const started = await visitor.post(origin + path, { email: "alice@example.com", next }, { follow: false, origin });
  if (started.status !== 303) return started;
  const query = new URLSearchParams(broker.signIn(started.headers.location));
  return visitor.get(`${client.redirectUri}?${query}`, { follow: false });
}
