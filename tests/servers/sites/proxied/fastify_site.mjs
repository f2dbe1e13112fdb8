// A site on Fastify with sealed sessions, whose URLs are those of browsers.
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.resolve(import.meta.dirname, "../../../../node/package.json"));
const fastify = require("fastify");
const { PortierClient } = require("portier-client");
const { portier } = require("portier-client/fastify");

const { BROKER, PORT, PREFIX, REDIRECT_URI } = process.env;
const app = fastify({ trustProxy: "loopback" });
await app.register(portier, {
  client: new PortierClient({ redirectUri: REDIRECT_URI, broker: BROKER }),
  secret: "WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u",
  callbackPath: "/verify",
  loginPath: "/login",
});
app.get("/", async () => "sign in");
app.get("/members", { onRequest: app.portier.requireLogin }, async (request) => {
  const { email } = request.portierSession;
  return `${email} at ${request.protocol}://${request.host}${PREFIX}${request.originalUrl}`;
});
await app.listen({ port: Number(PORT), host: "127.0.0.1" });
