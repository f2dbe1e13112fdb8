// What the types of the integrations promise; compiled, never run.
import express from "express";
import Fastify, { type FastifyReply, type FastifyRequest } from "fastify";

import { PortierClient, type Login, type PortierError } from "portier-client";
import forExpress, * as ofExpress from "portier-client/express";
import forFastify, * as ofFastify from "portier-client/fastify";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<_Holds extends true>(): void {}

const client = new PortierClient({ redirectUri: "https://example.com/verify" });

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
  const { login, safeNext, startLogin, verify }: ofExpress.Portier = ofExpress.portier(options);
  app.use(verify);
  app.post("/login", login);
  app.post("/sign-in", async (request, response) => {
    await startLogin(request, response, "alice@example.com", safeNext(request.query["next"]) ?? "/");
  });
  app.use((_request, response, next) => {
    response.set("Content-Security-Policy", ofExpress.loginPolicy(client, { identityProviders: [] }));
    next();
  });
  // An arrow function may give the response, or a promise.
  ofExpress.portier({ client, onLogin: (login, _, response) => response.cookie("a", login.email) });
  ofExpress.portier({ client, onLogin: async () => {} });
  // @ts-expect-error a site says what to do with a login
  ofExpress.portier({ client });
  // @ts-expect-error it is one of three words
  ofExpress.portier({ ...options, browserBinding: true });
  is<Equal<ofExpress.BrowserBinding, "off" | "confirm" | "require">>();
  // @ts-expect-error there is no such option
  ofExpress.portier({ ...options, loginPath: "/login" });
  // @ts-expect-error a client is one of this package
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
    onLoginError: (error, _request, reply) => reply.code(ofFastify.explain(error).status).send(),
  };
  await app.register(ofFastify.portier, options);
  app.register(forFastify, options);
  is<Equal<typeof app.portier, ofFastify.Portier>>();
  const { login, safeNext, startLogin } = app.portier;
  app.post("/sign-in", login);
  app.post("/other", async (request, reply) =>
    startLogin(request, reply, "alice@example.com", safeNext("/") ?? "/"),
  );
  app.addHook("preHandler", async (request) => {
    is<Equal<typeof request.routeOptions.config.portierCallback, boolean | undefined>>();
  });
  // @ts-expect-error a site says what to do with a login
  app.register(ofFastify.portier, { client });
  // @ts-expect-error there is no such option
  await ofFastify.portier(app, { ...options, loginpath: "/login" });
}
