// The login of the Fastify example, written with @fastify/oauth2, and jose for the token.
import { Agent } from "node:http";

import oauth2 from "@fastify/oauth2";
import { createRemoteJWKSet, jwtVerify } from "jose";

import { broker, form, origin, port, ready, redirectUri, require, secret } from "./shared.mjs";

const cookie = require("@fastify/cookie");
const formbody = require("@fastify/formbody");
const Fastify = require("fastify");

const app = Fastify();
await app.register(formbody);
await app.register(cookie, { secret });
await app.register(oauth2, {
  name: "portier",
  scope: ["openid", "email"],
  // The package asks for a secret; Portier has none.
  credentials: {
    client: { id: origin, secret: "unused" },
    options: { authorizationMethod: "body" },
    http: { agent: new Agent({ keepAlive: true }) },
  },
  callbackUri: redirectUri,
  discovery: { issuer: broker },
});
const keys = createRemoteJWKSet(new URL(`${broker}/keys.json`));

app.get("/", async (request) => {
  const { value } = request.unsignCookie(request.cookies.session ?? "");
  return value ? JSON.parse(value).email : "";
});

app.get("/login", (request, reply) => {
  reply.type("text/html; charset=utf-8").send(form);
});

app.post("/login", async (request, reply) => {
  const url = await app.portier.generateAuthorizationUri(request, reply);
  return reply.redirect(`${url}&login_hint=${encodeURIComponent(request.body.email)}`, 303);
});

app.get("/verify", async (request, reply) => {
  const { token } = await app.portier.getAccessTokenFromAuthorizationCodeFlow(request, reply);
  const { payload } = await jwtVerify(token.id_token, keys, { issuer: broker, audience: origin });
  const session = JSON.stringify({ email: payload.email });
  reply.setCookie("session", session, { signed: true, httpOnly: true, sameSite: "lax" });
  return reply.redirect("/", 303);
});

await app.listen({ port, host: "localhost" });
ready();
