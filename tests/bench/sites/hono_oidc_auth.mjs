// The login of the Hono example, written with @hono/oidc-auth as its manual says.
import { getAuth, initOidcAuthMiddleware, oidcAuthMiddleware, processOAuthCallback } from "@hono/oidc-auth";

import { broker, form, origin, port, ready, redirectUri, require, secret } from "./shared.mjs";

const { serve } = require("@hono/node-server");
const { Hono } = require("hono");

const metadata = await (await fetch(`${broker}/.well-known/openid-configuration`)).json();

const app = new Hono();
app.use(
  initOidcAuthMiddleware({
    OIDC_AUTH_SECRET: secret,
    OIDC_ISSUER: broker,
    OIDC_CLIENT_ID: origin,
    // The package asks for a secret; Portier has none.
    OIDC_CLIENT_SECRET: "unused",
    OIDC_REDIRECT_URI: redirectUri,
    OIDC_SCOPES: "openid email",
  }),
);
// Otherwise the package fetches the document twice for each login.
app.use(async (c, next) => {
  c.set("oidcAuthorizationServer", metadata);
  await next();
});

app.get("/", async (c) => c.text((await getAuth(c))?.email ?? ""));

app.get("/login", (c) => c.html(form));

// The package starts a login where a page needs one, with a link.
app.get("/start", oidcAuthMiddleware(), (c) => c.redirect("/", 303));

app.get("/verify", (c) => processOAuthCallback(c));

serve({ fetch: app.fetch, port, hostname: "localhost" }, ready);
