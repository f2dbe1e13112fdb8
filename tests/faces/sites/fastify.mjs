// A site on Fastify, for the cases of all integrations.
import { require, serve } from "./control.mjs";

const Fastify = require("fastify");
const { portier } = require("portier-client/fastify");

await serve(async (options, site) => {
  const app = Fastify();
  app.setNotFoundHandler((request, reply) => reply.code(404).send("nowhere"));
  app.setErrorHandler((error, request, reply) => reply.code(500).send("a page of the site"));
  app.addHook("onRequest", async (request, reply) => {
    if (site.setsCookies) reply.header("set-cookie", "seen=1; Path=/");
  });
  await app.register(portier, { loginPath: "/login", healthPath: "/healthz", ...options });
  app.post("/start", (request, reply) => {
    const { email, next } = site.start;
    return app.portier.startLogin(request, reply, email, next);
  });
  const { requireLogin, session } = app.portier;
  app.route({ method: ["GET", "POST"], url: "/members", onRequest: requireLogin, handler: () => "for members" });
  app.get("/session", async (request, reply) => {
    const { email = null } = (await session(request, reply)) ?? {};
    return { email };
  });
  await app.ready();
  return app.routing;
});
