// A site with Passport on Express, for the cases of all integrations.
import { require, serve } from "./control.mjs";

const express = require("express");
const { Passport } = require("passport");
const { redirectToNext, Strategy } = require("portier-client/passport");

await serve(({ onLogin, ...options }, site) => {
  const app = express();
  const passport = new Passport();
  const strategy = new Strategy(options, async (login) => {
    if (site.refuses) await onLogin(login);
    return login;
  });
  passport.use(strategy);
  const authenticate = passport.authenticate("portier", { session: false });
  app.use((request, response, next) => {
    if (site.setsCookies) response.append("set-cookie", "seen=1; Path=/");
    next();
  });
  app.post("/login", authenticate);
  app.all("/healthz", async (request, response) => (await strategy.flow.health(request)).send(response));
  app.post("/start", async (request, response) => {
    const { email, next } = site.start;
    const step = await strategy.flow.start(request, email, next);
    if (step.error !== null) await options.onLoginError(step.error, request, response);
    step.send(response);
  });
  app.use((request, response, next) => {
    if (!strategy.flow.isCallback(request.originalUrl)) return next();
    authenticate(request, response, async (error) => {
      try {
        if (error) throw error;
        await onLogin(request.user, request, response);
        if (!response.headersSent) redirectToNext(request, response);
      } catch (error) {
        next(error);
      }
    });
  });
  app.use((request, response) => response.status(404).send("nowhere"));
  // Express recognizes an error handler by its four parameters.
  app.use((error, request, response, next) => {
    if (response.headersSent) next(error);
    else response.status(500).send("a page of the site");
  });
  return app;
});
