// The guarantees of the integrations' types; compiled, never run.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";

import express from "express";
import Fastify, { type FastifyReply, type FastifyRequest } from "fastify";

import {
  LoginFlow,
  PortierClient,
  type Confirmation,
  type Login,
  type PortierError,
  type Problem,
  type Reply,
  type Session,
  type Step,
  type WebRequest,
} from "portier-client";
import forExpress, * as ofExpress from "portier-client/express";
import forFastify, * as ofFastify from "portier-client/fastify";
import forNode, * as ofNode from "portier-client/node";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<_Holds extends true>(): void {}

const client = new PortierClient({ redirectUri: "https://example.com/verify" });

// As @fastify/session does.
declare module "fastify" {
  interface Session {
    views: number;
  }
}

export async function byHand(
  request: Request,
  { incoming, response }: { incoming: IncomingMessage; response: ServerResponse },
): Promise<Response> {
  const flow = new LoginFlow(client, {
    browserBinding: "confirm",
    callbackPath: "/verify",
    flow: "auto",
    formTokenChecked: true,
    secret: ["a", new Uint8Array(32)],
    sessionMaxAge: 3600,
    accept: async ({ id }) => id !== "",
    identityProviders: ["https://accounts.google.com"],
    languages: ["en", "de"],
    texts: { de: { "problem.used.title": "Schon benutzt" } },
  });
  const step: Step = await flow.login(request, { formTokenChecked: true });
  (await flow.callback(incoming)).send(response);
  const facts: WebRequest = { method: "POST", headers: { cookie: ["a=1", "b=2"] }, body: new URLSearchParams() };
  await flow.callback(facts, { signal: new AbortController().signal });
  await flow.callback({ method: "POST", headers: [["cookie", "a=1"]], unread: "too_large" });
  await flow.start(request, "alice@example.com", "/members");
  const { confirmation, error, login, loginCookies, problem, reply, session } = step;
  is<Equal<typeof login, Login | null>>();
  is<Equal<typeof error, PortierError | null>>();
  is<Equal<typeof problem, Problem | null>>();
  is<Equal<typeof confirmation, Confirmation | null>>();
  is<Equal<typeof reply, Reply>>();
  is<Equal<typeof loginCookies, readonly string[]>>();
  is<Equal<typeof session, Session | null>>();
  is<Equal<Awaited<ReturnType<typeof flow.session>>, Session | null>>();
  flow.requireLogin(incoming, "/members").send(response);
  await flow.logout(request, { formTokenChecked: true });
  // @ts-expect-error the method is synchronous
  await flow.logout(request, { signal: new AbortController().signal });
  is<Equal<ReturnType<typeof flow.isCallback>, boolean>>();
  flow.isCallback(incoming.url);
  // @ts-expect-error there is no such option
  new LoginFlow(client, { browserbinding: "off" });
  // @ts-expect-error this option is for login forms only
  await flow.callback(request, { formTokenChecked: true });
  return step.toResponse();
}

export function inExpress(): express.Express {
  is<Equal<typeof forExpress, typeof ofExpress.portier>>();
  const app = express();
  const options: ofExpress.PortierOptions = {
    client,
    onLogin(login, request, response) {
      is<Equal<typeof login, Login>>();
      is<Equal<typeof request, express.Request>>();
      is<Equal<typeof response, express.Response>>();
      response.cookie("email", login.email, { ...ofExpress.cookieFlags(client), signed: true });
    },
    onLoginError(error) {
      is<Equal<typeof error, PortierError>>();
    },
    showProblem: ({ status, text, title, retryAfterSeconds }: ofExpress.Problem) =>
      `${status} ${title} ${text} ${retryAfterSeconds ?? 0}`,
    browserBinding: "require",
    showConfirmation(question, request, response) {
      is<Equal<typeof question, ofExpress.Confirmation>>();
      is<Equal<typeof question.email, string>>();
      const inputs = question.fields.map(([name, value]) => `${name}=${value}`);
      response.send(`${request.path} ${inputs.join()}`);
    },
    loginUrl: "/login",
    defaultNext: "/members",
    allowedHosts: ["shop.example.com"],
  };
  const { explain, flow, login, logout, requireLogin, safeNext, session, startLogin, verify }: ofExpress.Portier =
    ofExpress.portier(options);
  app.get("/members", requireLogin, (request, response) => {
    is<Equal<typeof response.locals.session, ofExpress.Session>>();
    response.send(request.path);
  });
  app.use("/all", requireLogin, async (request, response) => {
    response.send((await session(request))?.email satisfies string | undefined);
  });
  app.use(requireLogin);
  is<Equal<typeof flow, LoginFlow>>();
  app.post("/logout", logout);
  ofExpress.portier({ client, secret: "…" });
  app.use(verify);
  app.post("/login", login);
  app.post("/sign-in", async (request, response) => {
    await startLogin(request, response, "alice@example.com", safeNext(request.query["next"]) ?? "/");
  });
  ofExpress.portier({ ...options, onLoginError: (error, request) => explain(error, request).title });
  app.use((_request, response, next) => {
    response.set("Content-Security-Policy", ofExpress.loginPolicy(client, { identityProviders: [] }));
    next();
  });
  // An arrow function may give the response, or a promise.
  ofExpress.portier({ client, onLogin: (login, _, response) => response.cookie("a", login.email) });
  ofExpress.portier({ client, onLogin: async () => {} });
  // @ts-expect-error onLogin or secret is required
  ofExpress.portier({ client });
  // @ts-expect-error the value is not one of the three
  ofExpress.portier({ ...options, browserBinding: true });
  is<Equal<ofExpress.BrowserBinding, "off" | "confirm" | "require">>();
  // @ts-expect-error there is no such option
  ofExpress.portier({ ...options, loginPath: "/login" });
  // @ts-expect-error the client is not of this package
  ofExpress.portier({ ...options, client: {} });
  return app;
}

export async function inFastify(): Promise<void> {
  is<Equal<typeof forFastify, typeof ofFastify.portier>>();
  const app = Fastify();
  const options: ofFastify.PortierOptions = {
    client,
    loginPath: "/login",
    onLogin(login, request, reply) {
      is<Equal<typeof login, Login>>();
      is<Equal<typeof request, FastifyRequest>>();
      is<Equal<typeof reply, FastifyReply>>();
      reply.header("x-email", login.email);
    },
    browserBinding: "off" satisfies ofFastify.BrowserBinding,
    showConfirmation: async ({ email }: ofFastify.Confirmation) => email,
    onLoginError: (error, request, reply) => reply.code(app.portier.explain(error, request).status).send(),
  };
  await app.register(ofFastify.portier, options);
  app.register(forFastify, options);
  is<Equal<typeof app.portier, ofFastify.Portier>>();
  const { login, requireLogin, safeNext, session, startLogin } = app.portier;
  app.get("/members", { onRequest: requireLogin }, async ({ portierSession }) => {
    // Not the interface of the same name that @fastify/session declares.
    is<Equal<typeof portierSession, ofFastify.Session>>();
    return portierSession.email;
  });
  app.get("/", async (request, reply) => (await session(request, reply))?.id);
  app.register(ofFastify.portier, { client, secret: "…", logoutPath: null });
  app.post("/sign-in", login);
  app.post("/other", async (request, reply) =>
    startLogin(request, reply, "alice@example.com", safeNext("/") ?? "/"),
  );
  app.addHook("preHandler", async (request) => {
    is<Equal<typeof request.routeOptions.config.portierCallback, boolean | undefined>>();
  });
  // @ts-expect-error onLogin or secret is required
  app.register(ofFastify.portier, { client });
  // @ts-expect-error there is no such option
  await ofFastify.portier(app, { ...options, loginpath: "/login" });
}

export function onNode(): void {
  is<Equal<typeof forNode, typeof ofNode.portier>>();
  const options: ofNode.PortierOptions = {
    client,
    secret: "…",
    onLogin(login, request, response) {
      is<Equal<typeof request, IncomingMessage>>();
      is<Equal<typeof response, ServerResponse>>();
      response.setHeader("x-email", login.email);
    },
  };
  const { explain, handle, middleware, requireLogin, session, startLogin }: ofNode.Portier = ofNode.portier(options);
  createServer(async (request, response) => {
    is<Equal<Awaited<ReturnType<typeof handle>>, boolean>>();
    if (await handle(request, response)) return;
    const visitor = await requireLogin(request, response);
    is<Equal<typeof visitor, Session | null>>();
    response.end((await session(request, response))?.email);
  });
  createHttp2Server((request, response) => void handle(request, response));
  express().use(middleware).post("/sign-in", (request, response) => startLogin(request, response, "alice@example.com"));
  ofNode.portier({ ...options, onLoginError: (error, request) => explain(error, request).title });
  // @ts-expect-error a site says what to do with a login
  ofNode.portier({ client });
}
