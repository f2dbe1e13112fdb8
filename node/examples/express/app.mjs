// A small site with a page for members, who come in with nothing but an e-mail address.
//
// `node app.mjs` serves it with the public broker, which sends a real mail; `node demo.mjs` with a
// development broker, which sends none.
import { randomBytes } from "node:crypto";
import { fileURLToPath, pathToFileURL } from "node:url";

import cookieParser from "cookie-parser";
import express from "express";
import { InvalidEmail, PortierClient, PortierError, safeNext } from "portier-client";

import { pageHeaders } from "../site/headers.mjs";
import * as pages from "../site/pages.mjs";
import { explain, refuse } from "../site/problems.mjs";
import { cookieFlags, isToken, newToken, read, write } from "../site/session.mjs";

const STATIC = fileURLToPath(new URL("../site/static/", import.meta.url));

/** Puts the site together; `client` knows the broker, `secret` signs the cookies. */
export function makeApp(client, secret) {
  const app = express();
  const flags = { ...cookieFlags(client), signed: true };
  const headers = pageHeaders(client);
  app.disable("x-powered-by");
  app.use("/static", express.static(STATIC, { maxAge: 3_600_000 }));
  app.use(cookieParser(secret));

  app.use((request, response, next) => {
    response.set(headers);
    // What was tampered with is false.
    const token = request.signedCookies.token || newToken();
    request.visit = { email: read(request.signedCookies.session), token, framework: "Express" };
    if (!request.signedCookies.token) response.cookie("token", token, flags);
    next();
  });
  app.use(express.urlencoded({ extended: false, limit: "64kb" }));
  app.use((request, response, next) => {
    // The broker's post comes from another site and cannot know the token: the nonce in its own
    // takes that place. Nothing else is exempt.
    const exempt = request.method !== "POST" || request.path === "/verify";
    if (exempt || isToken(request.visit.token, request.body?._token)) return next();
    show(request, response, refuse(403));
  });

  app.get("/", (request, response) => response.send(pages.index(request.visit)));

  app.get("/members", (request, response) => {
    if (request.visit.email === null) return response.redirect(302, "/login?next=/members");
    response.send(pages.members(request.visit));
  });

  app.get("/login", (request, response) => {
    const { email = "", next = "" } = request.query;
    response.send(pages.signIn(request.visit, { email, next }));
  });

  app.post("/login", async (request, response) => {
    const { email, next } = request.body;
    try {
      const url = await client.authenticate(email, { session: safeNext(next) ?? undefined });
      seeOther(response, url);
    } catch (error) {
      if (!(error instanceof InvalidEmail)) throw error;
      const complaint = "This does not look like an e-mail address.";
      response.status(400).send(pages.signIn(request.visit, { email, next, complaint }));
    }
  });

  app.post("/verify", async (request, response) => {
    if (request.body === undefined) return show(request, response, refuse(415));
    const login = await client.complete(request.body);
    response.cookie("session", write(login.email), flags);
    seeOther(response, safeNext(login.session) ?? "/");
  });

  // Nobody's link, mail scanner or reload completes a login.
  app.get("/verify", (request, response) =>
    show(request, response.set("Allow", "POST"), refuse(405)),
  );

  app.post("/logout", (request, response) => {
    response.clearCookie("session", flags);
    seeOther(response, "/");
  });

  app.use((request, response) => show(request, response, refuse(404)));
  // Express knows an error handler by its four parameters.
  app.use((error, request, response, _next) => {
    if (error instanceof PortierError) return show(request, response, explain(error));
    if (error.status < 500) return show(request, response, refuse(error.status));
    console.error(error);
    show(request, response, explain(error));
  });
  return app;
}

/** Redirects so that the form is not posted on, and tells the next site nothing. */
function seeOther(response, url) {
  response.set({ "Referrer-Policy": "no-referrer", Location: url }).status(303).end();
}

function show(request, response, problem) {
  if (problem.retryAfter !== undefined) response.set("Retry-After", String(problem.retryAfter));
  response.status(problem.status).send(pages.problem(request.visit, problem));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const client = new PortierClient({ redirectUri: "http://localhost:8888/verify" });
  const secret = process.env.COOKIE_SECRET ?? randomBytes(32).toString("base64url");
  makeApp(client, secret).listen(8888, "localhost", () => console.log("Open http://localhost:8888"));
}
