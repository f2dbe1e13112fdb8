// The login of the Passport example, written with the strategy of openid-client.
import { openidStrategy } from "./openid_strategy.mjs";
import { form, port, ready, require, secret } from "./shared.mjs";

const express = require("express");
const session = require("express-session");
const { Passport } = require("passport");

const passport = new Passport();
passport.use(await openidStrategy());
passport.serializeUser((user, done) => done(null, user.email));
passport.deserializeUser((email, done) => done(null, { email }));

const app = express();
app.disable("x-powered-by");
app.disable("etag");
const cookie = { sameSite: "lax" };
app.use(session({ secret, cookie, resave: false, saveUninitialized: false }));
app.use(passport.session());

app.get("/", (request, response) => {
  response.send(request.user?.email ?? "");
});

app.get("/login", (request, response) => {
  response.send(form);
});

app.get("/start", passport.authenticate("portier"));

app.get("/verify", passport.authenticate("portier", { successRedirect: "/" }));

app.listen(port, "localhost", ready);
