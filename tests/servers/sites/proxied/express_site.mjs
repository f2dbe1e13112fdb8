// A site on Express with express-session, whose URLs are those of browsers.
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.resolve(import.meta.dirname, "../../../../node/package.json"));
const express = require("express");
const session = require("express-session");
const { PortierClient } = require("portier-client");
const { cookieFlags, portier } = require("portier-client/express");

const { BROKER, PORT, PREFIX, REDIRECT_URI } = process.env;
const secret = "WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u";
const client = new PortierClient({ redirectUri: REDIRECT_URI, broker: BROKER, secret });
const { login, verify } = portier({
  client,
  callbackPath: "/verify",
  onLogin({ email }, request) {
    return new Promise((resolve, reject) => {
      request.session.regenerate((error) => {
        request.session.email = email;
        error ? reject(error) : resolve();
      });
    });
  },
});

const app = express();
app.set("trust proxy", "loopback");
app.use(session({ secret, cookie: cookieFlags(client), resave: false, saveUninitialized: false }));
app.use(verify);
app.post("/login", login);
app.get("/", (request, response) => response.send("sign in"));
app.get("/members", (request, response) => {
  const { email } = request.session;
  const page = `${PREFIX}${request.originalUrl}`;
  if (email === undefined) return response.redirect(303, `${PREFIX}/?next=${encodeURIComponent(page)}`);
  response.send(`${email} at ${request.protocol}://${request.host}${page}`);
});
app.listen(Number(PORT), "127.0.0.1");
