// A small site with a page for members, who come in with nothing but an e-mail address.
//
// `node app.mjs` serves it with the public broker, which sends a real mail; `node demo.mjs` with a
// development broker, which sends none.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

import cookie from "@fastify/cookie";
import formBody from "@fastify/formbody";
import Fastify from "fastify";
import { InvalidEmail, PortierClient, PortierError, safeNext } from "portier-client";

import { pageHeaders } from "../site/headers.mjs";
import * as pages from "../site/pages.mjs";
import { explain, refuse } from "../site/problems.mjs";
import { cookieFlags, isToken, newToken, read, write } from "../site/session.mjs";

const STATIC = new URL("../site/static/", import.meta.url);

/** Puts the site together; `client` knows the broker, `secret` signs the cookies. */
export async function makeApp(client, secret) {
  const app = Fastify({ bodyLimit: 64 * 1024 });
  const flags = { ...cookieFlags(client), signed: true };
  // Forms are all it takes.
  app.removeAllContentTypeParsers();
  await app.register(formBody);
  await app.register(cookie, { secret });

  app.decorateRequest("visit", null);
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(pageHeaders(client));
    const signed = (name) => {
      const { valid, value } = request.unsignCookie(request.cookies[name] ?? "");
      return valid ? value : null;
    };
    const token = signed("token") ?? newToken();
    request.visit = { email: read(signed("session")), token, framework: "Fastify" };
    if (signed("token") === null) reply.setCookie("token", token, flags);
  });
  app.addHook("preHandler", async (request, reply) => {
    // The broker's post comes from another site and cannot know the token: the nonce in its own
    // takes that place. Nothing else is exempt.
    if (request.method !== "POST" || request.routeOptions.url === "/verify") return;
    if (!isToken(request.visit.token, request.body?._token)) return show(request, reply, refuse(403));
  });

  app.get("/", (request, reply) => send(reply, pages.index(request.visit)));

  app.get("/members", (request, reply) => {
    if (request.visit.email === null) return reply.redirect("/login?next=/members", 302);
    return send(reply, pages.members(request.visit));
  });

  app.get("/login", (request, reply) => {
    const { email = "", next = "" } = request.query;
    return send(reply, pages.signIn(request.visit, { email, next }));
  });

  app.post("/login", async (request, reply) => {
    const { email, next } = request.body;
    try {
      const url = await client.authenticate(email, { session: safeNext(next) ?? undefined });
      return seeOther(reply, url);
    } catch (error) {
      if (!(error instanceof InvalidEmail)) throw error;
      const complaint = "This does not look like an e-mail address.";
      return send(reply.code(400), pages.signIn(request.visit, { email, next, complaint }));
    }
  });

  app.post("/verify", async (request, reply) => {
    if (request.body === undefined) return show(request, reply, refuse(415));
    const login = await client.complete(request.body);
    reply.setCookie("session", write(login.email), flags);
    return seeOther(reply, safeNext(login.session) ?? "/");
  });

  // Nobody's link, mail scanner or reload completes a login.
  app.get("/verify", (request, reply) => show(request, reply.header("Allow", "POST"), refuse(405)));

  app.post("/logout", (request, reply) => seeOther(reply.clearCookie("session", flags), "/"));

  for (const [name, type] of [
    ["site.css", "text/css; charset=utf-8"],
    ["icon.svg", "image/svg+xml"],
  ]) {
    app.get(`/static/${name}`, async (request, reply) =>
      reply.type(type).header("Cache-Control", "max-age=3600").send(await readFile(new URL(name, STATIC))),
    );
  }

  app.setNotFoundHandler((request, reply) => show(request, reply, refuse(404)));
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof PortierError) return show(request, reply, explain(error));
    if (error.statusCode < 500) return show(request, reply, refuse(error.statusCode));
    console.error(error);
    return show(request, reply, explain(error));
  });
  return app;
}

function send(reply, page) {
  return reply.type("text/html; charset=utf-8").send(page);
}

/** Redirects so that the form is not posted on, and tells the next site nothing. */
function seeOther(reply, url) {
  return reply.header("Referrer-Policy", "no-referrer").redirect(url, 303);
}

function show(request, reply, problem) {
  if (problem.retryAfter !== undefined) reply.header("Retry-After", problem.retryAfter);
  return send(reply.code(problem.status), pages.problem(request.visit, problem));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const client = new PortierClient({ redirectUri: "http://localhost:8888/verify" });
  const secret = process.env.COOKIE_SECRET ?? randomBytes(32).toString("base64url");
  const app = await makeApp(client, secret);
  await app.listen({ host: "localhost", port: 8888 });
  console.log("Open http://localhost:8888");
}
