// A small Express site with a page for members, who log in with their e-mail address.
//
// `demo.mjs`, one level up, serves it together with a development broker, which sends no mail.
import { fileURLToPath } from "node:url";

import cookieParser from "cookie-parser";
import express from "express";
import { portier } from "portier-client/express";

import { fromEnvironment } from "../shared/environment.mjs";
import { commonHeaders, FILES, LARGEST_FORM } from "../shared/http.mjs";
import { confirmationPage, indexPage, loginPage, membersPage, problemPage } from "../shared/pages.mjs";
import { blame, FORGED, NOT_FOUND } from "../shared/problems.mjs";
import { beginSession, field, isFromHere, readSession, sessionCookie } from "../shared/session.mjs";

/** Makes the application; `client` knows the broker. */
export function makeApp(client, cookieSecret, login = {}) {
  const app = express();
  const { name, flags } = sessionCookie(client);
  const { safeNext, startLogin, verify } = portier({
    client,
    ...login,
    loginUrl: "/login",
    onLogin({ email }, request, response) {
      keep(response, beginSession(email));
    },
    onLoginError(error) {
      if (error.retryable) console.error(error);
    },
    showProblem(problem, request) {
      if (problem.id !== "invalid_email") return problemPage(view(request), problem);
      const { typedEmail, next, text } = problem;
      return loginPage(view(request), { email: typedEmail ?? "", next: next ?? "", complaint: text });
    },
    showConfirmation: (question, request) => confirmationPage(view(request), question),
  });

  app.disable("x-powered-by");
  app.disable("etag");
  app.use(cookieParser(cookieSecret));

  app.use((request, response, next) => {
    response.set(commonHeaders(client));
    request.session = readSession(request.signedCookies[name]);
    next();
  });

  // Before the check of forms: the callback comes from another site, without cookies.
  app.use(verify);

  app.use(express.urlencoded({ extended: false, inflate: false, limit: LARGEST_FORM }));

  app.use((request, response, next) => {
    const harmless = ["GET", "HEAD", "OPTIONS"].includes(request.method);
    if (harmless || isFromHere(request.session, request.body)) return next();
    fail(request, response, FORGED);
  });

  app.get("/", (request, response) => {
    response.send(indexPage(withForm(request, response)));
  });

  app.get("/members", (request, response) => {
    if (request.session?.email) return response.send(membersPage(view(request)));
    seeOther(response, `/login?next=${encodeURIComponent(request.originalUrl)}`);
  });

  app.get("/login", (request, response) => {
    const sent = sentWith(request.query);
    if (request.session?.email) return seeOther(response, safeNext(sent.next) ?? "/");
    response.send(loginPage(withForm(request, response), sent));
  });

  app.post("/login", async (request, response) => {
    const { email, next } = sentWith(request.body);
    await startLogin(request, response, email, next);
  });

  app.post("/logout", (request, response) => {
    response.clearCookie(name, flags);
    seeOther(response, "/");
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

  /** A page with a form needs a session, even if nobody is signed in. */
  function withForm(request, response) {
    request.session ??= keep(response, beginSession());
    return view(request);
  }

  function keep(response, session) {
    response.cookie(name, JSON.stringify(session), flags);
    return session;
  }

  return app;
}

/** The values of a submitted form, to show it again. */
function sentWith(fields) {
  return { email: field(fields, "email"), next: field(fields, "next") };
}

function view({ session }) {
  return { framework: "Express", email: session?.email, token: session?.token };
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
