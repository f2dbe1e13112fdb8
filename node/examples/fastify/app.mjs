// A small Fastify site with a page for members, who log in with their e-mail address.
//
// `demo.mjs`, one level up, serves it together with a development broker, which sends no mail.
import { fileURLToPath } from "node:url";

import cookie from "@fastify/cookie";
import formbody from "@fastify/formbody";
import Fastify from "fastify";
import { portier } from "portier-client/fastify";

import { fromEnvironment } from "../shared/environment.mjs";
import { commonHeaders, FILES, LARGEST_FORM } from "../shared/http.mjs";
import { confirmationPage, indexPage, loginPage, membersPage, problemPage } from "../shared/pages.mjs";
import { blame, FORGED, NOT_FOUND } from "../shared/problems.mjs";
import { beginSession, field, isFromHere, readSession, sessionCookie } from "../shared/session.mjs";

/** Makes the application; `client` knows the broker. */
export async function makeApp(client, cookieSecret, login = {}) {
  const app = Fastify({
    bodyLimit: LARGEST_FORM,
    // A path that cannot be decoded comes here, without running the hooks.
    frameworkErrors: (error, request, reply) => {
      return fail(request, reply.headers(commonHeaders(client)), blame(error));
    },
  });
  const { name, flags } = sessionCookie(client);

  app.removeAllContentTypeParsers();
  await app.register(formbody);
  await app.register(cookie, { secret: cookieSecret });
  app.decorateRequest("session");

  app.addHook("onRequest", async (request, reply) => {
    reply.headers(commonHeaders(client));
    const { valid, value } = request.unsignCookie(request.cookies[name] ?? "");
    request.session = readSession(valid ? value : "");
  });

  app.addHook("preHandler", async (request, reply) => {
    const harmless = ["GET", "HEAD", "OPTIONS"].includes(request.method);
    // Only the callback is exempt: it comes from another site, without cookies.
    if (harmless || request.routeOptions.config.portierCallback) return;
    if (!isFromHere(request.session, request.body)) return fail(request, reply, FORGED);
  });

  // Routes that are registered after the hooks run them.
  await app.register(portier, {
    client,
    ...login,
    loginPath: null, // below: its form has a token
    loginUrl: "/login",
    onLogin({ email }, request, reply) {
      keep(reply, beginSession(email));
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

  app.get("/", async (request, reply) => show(reply, indexPage(withForm(request, reply))));

  app.get("/members", async (request, reply) => {
    if (request.session?.email) return show(reply, membersPage(view(request)));
    return seeOther(reply, `/login?next=${encodeURIComponent(request.url)}`);
  });

  app.get("/login", async (request, reply) => {
    const sent = sentWith(request.query);
    if (request.session?.email) return seeOther(reply, app.portier.safeNext(sent.next) ?? "/");
    return show(reply, loginPage(withForm(request, reply), sent));
  });

  app.post("/login", async (request, reply) => {
    const { email, next } = sentWith(request.body);
    return app.portier.startLogin(request, reply, email, next);
  });

  app.post("/logout", async (request, reply) => {
    reply.clearCookie(name, flags);
    return seeOther(reply, "/");
  });

  for (const { path, type, body } of FILES) {
    app.get(path, async (request, reply) => reply.type(type).send(body));
  }

  app.setNotFoundHandler((request, reply) => fail(request, reply, NOT_FOUND));

  app.setErrorHandler((error, request, reply) => {
    const problem = blame(error);
    if (problem.status >= 500) console.error(error);
    return fail(request, reply, problem);
  });

  /** A page with a form needs a session, even if nobody is signed in. */
  function withForm(request, reply) {
    request.session ??= keep(reply, beginSession());
    return view(request);
  }

  function keep(reply, session) {
    reply.setCookie(name, JSON.stringify(session), flags);
    return session;
  }

  return app;
}

/** The values of a submitted form, to show it again. */
function sentWith(fields) {
  return { email: field(fields, "email"), next: field(fields, "next") };
}

function view({ session }) {
  return { framework: "Fastify", email: session?.email, token: session?.token };
}

function fail(request, reply, problem) {
  return show(reply.code(problem.status), problemPage(view(request), problem));
}

function show(reply, page) {
  return reply.type("text/html; charset=utf-8").send(page);
}

/** Redirects with 303, so that the browser does not post the form again. */
function seeOther(reply, url) {
  return reply.redirect(url, 303);
}

/** Serves the site with the public broker, which sends real mails, or as the environment says. */
async function main() {
  const { client, cookieSecret, port, login } = fromEnvironment();
  const app = await makeApp(client, cookieSecret, login);
  await app.listen({ port, host: "localhost" });
  console.log(`Open http://localhost:${port}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
