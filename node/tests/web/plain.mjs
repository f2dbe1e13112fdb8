// Small sites in each framework: a login with the options of the test.
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe } from "node:test";

import express5 from "express";
import express4 from "express-v4";
import Fastify from "fastify";
import PortierClient from "portier-client";
import * as forExpress from "portier-client/express";
import * as forFastify from "portier-client/fastify";
import { DevBroker } from "portier-client/testing";

import { Visitor } from "./visitor.mjs";

const EXPRESS = { "express 4": express4, "express 5": express5 };

/** The frameworks. */
export const KINDS = [...Object.keys(EXPRESS), "fastify 5"];

/** Runs the same tests for each framework, with a development broker. */
export function eachKind(define) {
  for (const kind of KINDS) {
    describe(kind, { timeout: 60_000 }, () => {
      const here = {
        kind,
        /** Serves a site with some options until the end of the test; it has no sessions. */
        serve: (t, options = {}, details = {}) => serve(t, here, options, details),
      };
      before(() => {
        here.broker = new DevBroker();
      });
      after(() => here.broker.stop());
      define(here);
    });
  }
}

/**
 * Other options of a test: the client's options as `client`, the path of the redirect URI as
 * `path`, what the application is made with as `app`, and what is done with it `first` and `then`.
 */
function serve(t, { kind, broker }, options, { app, client, first, then, path }) {
  const make = (site) => {
    const all = { client: site.client, onLogin: (login) => site.logins.push(login), ...options };
    return (kind in EXPRESS ? expressApp : fastifyApp)(EXPRESS[kind], all, site, { app, first, then });
  };
  return serveSite(t, broker, make, { client, path });
}

/** Serves a site of any framework until the test is over. `make` gets the site, and returns a listener of `node:http`. */
export async function serveSite(t, broker, make, { client, path = "/verify" } = {}) {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const site = new Plain(`http://localhost:${server.address().port}`, path, broker, client);
  server.on("request", await make(site));
  return site;
}

async function expressApp(express, options, site, { first, then }) {
  const app = express();
  await first?.(app, express);
  site.portier = forExpress.portier(options);
  const { login, verify } = site.portier;
  app.use(verify);
  app.post("/login", login);
  then?.(app, site.portier);
  app.use((request, response) => response.status(404).send("nowhere"));
  app.use((error, request, response, next) => {
    site.errors.push(error);
    if (response.headersSent) next(error);
    else response.status(500).send("a page of the site");
  });
  return app;
}

async function fastifyApp(_, options, site, details) {
  const app = Fastify(details.app);
  await details.first?.(app);
  app.setNotFoundHandler((request, reply) => reply.code(404).send("nowhere"));
  app.setErrorHandler((error, request, reply) => {
    site.errors.push(error);
    reply.code(500).send("a page of the site");
  });
  await app.register(forFastify.portier, { loginPath: "/login", ...options });
  site.portier = app.portier;
  details.then?.(app, site.portier);
  await app.ready();
  return app.routing;
}

/** A running site, and its recorded calls. */
class Plain {
  logins = [];
  errors = [];

  constructor(origin, path, broker, options) {
    const redirectUri = `${origin}${path}`;
    this.origin = origin;
    this.verify = redirectUri;
    this.broker = broker;
    this.client = new PortierClient({ redirectUri, broker: broker.origin, ...options });
  }

  /** Posts the login form of this site; follows nothing. */
  start(visitor, fields = {}, headers = { origin: this.origin }) {
    const form = { email: "alice@example.com", ...fields };
    return visitor.post(`${this.origin}/login`, form, { follow: false, ...headers });
  }

  /** Starts a login and returns what the browser brings back from the broker. */
  async answer(visitor, fields) {
    const { headers, status, text } = await this.start(visitor, fields);
    if (status !== 303) throw new Error(`no login started status=${status} ${text}`);
    return this.broker.signIn(headers.location);
  }

  /** Sends the broker's answer to the redirect URI: a code in the query, everything else in a form. */
  async finish(visitor, answer) {
    if (!("code" in answer)) return visitor.post(this.verify, answer, { follow: false });
    const page = await visitor.get(`${this.verify}?${new URLSearchParams(answer)}`, { follow: false });
    // A browser without cookies is redirected here again, to test whether it keeps cookies.
    if (!page.headers.location?.startsWith("?")) return page;
    return visitor.get(new URL(page.headers.location, page.url).href, { follow: false });
  }

  /** A whole login in a new browser. */
  async logIn(fields, visitor = new Visitor()) {
    return this.finish(visitor, await this.answer(visitor, fields));
  }
}
