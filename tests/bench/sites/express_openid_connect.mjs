// The login of the Express example, written with express-openid-connect as its manual says.
import openidConnect from "express-openid-connect";

import { broker, form, origin, port, ready, require, secret } from "./shared.mjs";

const express = require("express");

const app = express();
app.disable("x-powered-by");
app.disable("etag");
app.use(
  openidConnect.auth({
    issuerBaseURL: broker,
    baseURL: origin,
    clientID: origin,
    // The package asks for a secret; Portier has none.
    clientSecret: "unused",
    secret,
    authRequired: false,
    enableTelemetry: false,
    authorizationParams: { response_type: "code", scope: "openid email" },
    routes: { login: false, callback: "/verify" },
  }),
);
app.use(express.urlencoded({ extended: false }));

app.get("/", (request, response) => {
  response.send(request.oidc.user?.email ?? "");
});

app.get("/login", (request, response) => {
  response.send(form);
});

app.post("/login", (request, response) =>
  response.oidc.login({ returnTo: "/", authorizationParams: { login_hint: request.body.email } }),
);

app.listen(port, "localhost", ready);
