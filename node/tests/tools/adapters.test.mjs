// Sites that run as a function behind a gateway, with the common adapters.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";

import awsLambdaFastify from "@fastify/aws-lambda";
import formbody from "@fastify/formbody";
import serverlessExpress from "@vendia/serverless-express";
import express5 from "express";
import express4 from "express-v4";
import Fastify from "fastify";
import serverlessHttp from "serverless-http";

import { portier as forExpress } from "../../dist/express.mjs";
import { portier as forFastify } from "../../dist/fastify.mjs";
import PortierClient from "../../dist/index.mjs";
import { DevBroker } from "../../dist/testing.mjs";
import { Visitor } from "../web/visitor.mjs";
import { gateway, PAYLOADS } from "./gateway.mjs";

const FUNCTIONS = {
  "serverless-http with Express 4": (options) => serverlessHttp(expressApp(express4, options)),
  "serverless-http with Express 5": (options) => serverlessHttp(expressApp(express5, options)),
  "serverless-http with Fastify": async (options) => serverlessHttp(await fastifyApp(options)),
  "serverless-express with Express 4": (options) => serverlessExpress({ app: expressApp(express4, options) }),
  "serverless-express with Express 5": (options) => serverlessExpress({ app: expressApp(express5, options) }),
  "aws-lambda with Fastify": async (options) => awsLambdaFastify(await fastifyApp(options)),
};
const PARSERS = { "without a parser of forms": false, "behind a parser of forms": true };
const BODIES = { "as text": { base64: false }, "in base64": { base64: true } };
const FLOWS = ["implicit", "code"];

let broker;
before(() => {
  broker = new DevBroker();
});
after(() => broker.stop());

for (const [name, makeFunction] of Object.entries(FUNCTIONS)) {
  describe(name, { timeout: 60_000 }, () => {
    for (const [payload, toEvent] of Object.entries(PAYLOADS)) {
      for (const [how, encoding] of Object.entries(BODIES)) {
        for (const [where, parsed] of Object.entries(PARSERS)) {
          for (const flow of FLOWS) {
            test(`a visitor logs in: ${payload}, bodies ${how}, ${where}, flow ${flow}`, async (t) => {
              const options = { parsed, flow };
              const site = await serve(t, options, makeFunction, (handler) => gateway(handler, toEvent, encoding));
              const visitor = new Visitor();
              const asked = { email: "alice@example.com", next: "/members?page=2" };
              const started = await site.post(visitor, "/login", asked);
              assert.equal(started.status, 303, started.text);
              const { location } = started.headers;
              assert.ok(location.startsWith(`${broker.origin}/auth?`), location);
              assert.ok(visitor.cookies.size > 0, "the login is bound to the browser");
              const done = await callBack(visitor, `${site.origin}/verify`, flow, broker.signIn(location));
              assert.deepEqual([done.status, done.headers.location], [303, "/members?page=2"], done.text);
              assert.equal(done.headers["cache-control"], "no-store, no-transform");
              assert.deepEqual(site.logins, ["alice@example.com"]);
            });
          }
        }
      }
    }
  });
}

/** Brings the broker's answer to the redirect URI. A form comes from the broker's site, so it has no cookies. */
function callBack(visitor, redirectUri, flow, answer) {
  if (flow === "implicit") return visitor.post(redirectUri, answer, { follow: false });
  return visitor.get(`${redirectUri}?${new URLSearchParams(answer)}`, { follow: false });
}

/** Serves a function until the end of the test. */
async function serve(t, { parsed, flow }, makeFunction, served) {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const origin = `http://localhost:${server.address().port}`;
  const logins = [];
  const client = new PortierClient({ redirectUri: `${origin}/verify`, broker: broker.origin });
  const onLogin = ({ email }) => void logins.push(email);
  server.on("request", served(await makeFunction({ parsed, portier: { client, flow, onLogin } })));
  const post = (visitor, path, fields) => visitor.post(origin + path, fields, { follow: false, origin });
  return { origin, logins, post };
}

function expressApp(express, { parsed, portier }) {
  const app = express();
  if (parsed) app.use(express.urlencoded({ extended: false }));
  const { login, verify } = forExpress(portier);
  app.use(verify);
  app.post("/login", login);
  return app;
}

async function fastifyApp({ parsed, portier }) {
  const app = Fastify();
  if (parsed) await app.register(formbody);
  await app.register(forFastify, { loginPath: "/login", ...portier });
  return app;
}
