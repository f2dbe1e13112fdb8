// A small site with Passport and express-session, whose members log in with their e-mail address.
//
// `demo.mjs`, one level up, serves it together with a development broker, which sends no mail.
import { fileURLToPath } from "node:url";

import express from "express";
import session from "express-session";
import { Passport } from "passport";
import { cookieFlags, redirectToNext, Strategy } from "portier-client/passport";

import { fromEnvironment } from "../shared/environment.mjs";
import { commonHeaders, FILES } from "../shared/http.mjs";
import { indexPage, loginPage, membersPage, problemPage } from "../shared/pages.mjs";
import { blame, FORGED, NOT_FOUND } from "../shared/problems.mjs";
import { hooksOf } from "../shared/sealed.mjs";

const view = ({ user }) => ({ framework: "Passport", email: user?.email });

/** Makes the application; `client` knows the broker, `secret` signs the cookies of the sessions. */
export function makeApp(client, secret, login = {}) {
  const app = express();
  const passport = new Passport();
  const strategy = new Strategy(
    { client, ...login, loginUrl: "/login", ...hooksOf(view) },
    // A site with a database finds or creates the user here.
    async ({ email }) => ({ email }),
  );
  const { flow } = strategy;
  passport.use(strategy);
  passport.serializeUser((user, done) => done(null, user.email));
  passport.deserializeUser((email, done) => done(null, { email }));

  app.disable("x-powered-by");
  app.disable("etag");
  app.enable("case sensitive routing");
  app.enable("strict routing");
  app.use((request, response, next) => {
    response.set(commonHeaders(client));
    next();
  });
  const flags = cookieFlags(client);
  const name = flags.secure ? "__Host-session" : "session";
  app.use(session({ secret, name, cookie: flags, resave: false, saveUninitialized: false }));
  app.use(passport.session());

  app.post("/login", passport.authenticate("portier"));
  app.all(flow.callbackPath, passport.authenticate("portier"), redirectToNext);

  app.get("/", (request, response) => {
    response.send(indexPage(view(request)));
  });

  app.get("/login", (request, response) => {
    const next = flow.safeNext(request.query.next);
    if (request.user) return seeOther(response, next ?? "/");
    response.send(loginPage(view(request), { next: next ?? "" }));
  });

  app.get("/members", (request, response) => {
    if (request.user) return response.send(membersPage(view(request)));
    seeOther(response, `/login?next=${encodeURIComponent(request.originalUrl)}`);
  });

  app.post("/logout", (request, response, next) => {
    // Browsers say where a form comes from.
    if (!["same-origin", "none", undefined].includes(request.get("sec-fetch-site"))) {
      return fail(request, response, FORGED);
    }
    request.logout((error) => (error ? next(error) : seeOther(response, "/login")));
  });

  for (const { path, type, body } of FILES) {
    app.get(path, (request, response) => response.type(type).send(body));
  }

  app.use((request, response) => fail(request, response, NOT_FOUND));

  // Express recognizes an error handler by its four parameters.
  app.use((error, request, response, next) => {
    if (response.headersSent) return next(error);
    const problem = blame(error);
    if (problem.status >= 500) console.error(error);
    fail(request, response, problem);
  });

  return app;
}

function fail(request, response, problem) {
  response.status(problem.status).send(problemPage(view(request), problem));
}

/** Redirects with 303, so that the browser does not post the form again. */
function seeOther(response, url) {
  // Not `location()`, which would encode the URL again.
  response.status(303).set("Location", url).end();
}

/** Serves the site with the public broker, which sends real mails, or as the environment says. */
function main() {
  const { client, cookieSecret, port, login } = fromEnvironment();
  const ready = () => console.log(`Open http://localhost:${port}`);
  makeApp(client, cookieSecret, login).listen(port, "localhost", ready);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
