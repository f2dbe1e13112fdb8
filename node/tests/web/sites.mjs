// The example sites, each with a development broker, as a visitor sees them.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe } from "node:test";

import PortierClient from "portier-client";
import { DevBroker } from "portier-client/testing";

import { listenerOf } from "../../examples/shared/listener.mjs";

/** The sites with sessions of their own. */
export const SITES = ["fastify", "express"];
/** The sites whose sessions are those of the login. */
export const SEALED_SITES = ["hono", "koa", "nest", "node", "passport", "web"];

const SECRET = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA";

/**
 * Runs the same tests for each site. Once it runs, they get the `site` with its `origin`, the `broker`, and the site's
 * `client`.
 */
export function eachSite(define, names = SITES) {
  for (const name of names) {
    describe(name, { timeout: 60_000 }, () => {
      const here = { name };
      before(async () => {
        here.broker = new DevBroker();
        here.site = await serve(name, (origin) => {
          here.client = clientOf(here.broker.origin)(origin);
          return here.client;
        });
      });
      after(() => {
        here.site.stop();
        here.broker.stop();
      });
      define(here);
    });
  }
}

/** Makes clients of a broker, for a site at an origin. */
export function clientOf(broker) {
  return (origin) => new PortierClient({ redirectUri: `${origin}/verify`, broker });
}

/** Serves a site with the client that is made for its origin. */
export async function serve(name, makeClient) {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://localhost:${server.address().port}`;
  const { makeApp } = await import(`../../examples/${name}/app.mjs`);
  server.on("request", await listenerOf(await makeApp(makeClient(origin), SECRET)));
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { origin, stop };
}

/** Goes from the login page to the broker, and returns the page there. */
export async function walk(visitor, site, { email = "alice@example.com", next = "" } = {}) {
  const login = await visitor.get(`${site.origin}/login`);
  const asked = await visitor.submit(login, "/login", { email, next });
  assert.equal(asked.status, 200);
  return asked;
}

/** Confirms at the broker, and returns to the site, which completes the login. */
export async function goOn(visitor, asked) {
  const page = await visitor.submit(asked, "", { answer: "continue" });
  // In the implicit flow, this is a form of the broker.
  return page.url.startsWith(new URL(asked.url).origin) ? visitor.submit(page) : page;
}

/** A whole login, up to the page that it leads to. */
export async function logIn(visitor, site, fields) {
  return goOn(visitor, await walk(visitor, site, fields));
}

/** Checks the status and the text of a page. */
export function assertPage(page, status, words) {
  assert.equal(page.status, status);
  assert.match(page.headers["content-type"], /^text\/html; *charset=utf-8$/i);
  // The site's own pages have no address that a proxy could replace.
  assert.match(page.headers["cache-control"], /^no-store(, no-transform)?$/);
  assert.match(page.headers["referrer-policy"], /^(no-referrer|same-origin)$/);
  assert.match(page.text, /The Reading Room/);
  assert.ok(page.text.includes(words), words);
}
