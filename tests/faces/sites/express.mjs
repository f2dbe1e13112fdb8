// A site on Express, for the cases of all integrations.
import { require, serve } from "./control.mjs";

// One of the versions that the package is tested with.
const express = require(process.argv[2] ?? "express");
const { portier } = require("portier-client/express");

await serve((options, site) => {
  const app = express();
  const { health, login, logout, requireLogin, session, startLogin, verify } = portier(options);
  app.use((request, response, next) => {
    if (site.setsCookies) response.append("set-cookie", "seen=1; Path=/");
    next();
  });
  app.use(verify);
  app.post("/login", login);
  app.post("/start", (request, response, next) => {
    const { email, next: page } = site.start;
    startLogin(request, response, email, page).catch(next);
  });
  app.all("/logout", logout);
  app.all("/healthz", health);
  app.all("/members", requireLogin, (request, response) => response.send("for members"));
  app.get("/session", async (request, response) => {
    const { email = null } = (await session(request)) ?? {};
    response.send({ email });
  });
  app.use((request, response) => response.status(404).send("nowhere"));
  // Express recognizes an error handler by its four parameters.
  app.use((error, request, response, next) => {
    if (response.headersSent) next(error);
    else response.status(500).send("a page of the site");
  });
  return app;
});
