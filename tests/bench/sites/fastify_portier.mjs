// The login of the Fastify example, written with npm `portier` as its manual says.
import { randomBytes } from "node:crypto";

import { makePortier } from "../peers.mjs";
import { broker, port, ready, redirectUri, require, secret } from "./shared.mjs";

const cookie = require("@fastify/cookie");
const formbody = require("@fastify/formbody");
const Fastify = require("fastify");

const client = makePortier(broker, redirectUri);

const app = Fastify();
await app.register(formbody);
await app.register(cookie, { secret });

app.get("/", async (request) => {
  const { value } = request.unsignCookie(request.cookies.session ?? "");
  return value ? JSON.parse(value).email : "";
});

app.get("/login", async (request, reply) => {
  const token = randomBytes(16).toString("base64url");
  reply.setCookie("form", token, { httpOnly: true, sameSite: "lax" });
  return reply.type("text/html; charset=utf-8").send(
    `<!doctype html><title>Sign in</title><form method="post" action="/login">
      <input type="hidden" name="token" value="${token}">
      <input type="email" name="email"><button>Sign in</button></form>`,
  );
});

app.post("/login", async (request, reply) => {
  const { email, token } = request.body;
  if (token !== request.cookies.form) return reply.code(403).send();
  return reply.redirect(await client.authenticate(email), 303);
});

app.post("/verify", async (request, reply) => {
  const email = await client.verify(request.body.id_token);
  reply.setCookie("session", JSON.stringify({ email }), { signed: true, httpOnly: true });
  return reply.redirect("/", 303);
});

await app.listen({ port, host: "localhost" });
ready();
