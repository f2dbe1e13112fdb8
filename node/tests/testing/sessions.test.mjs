// Sites with sessions of their own.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import express from "express";
import session from "express-session";
import { portier } from "portier-client/express";
import { DevBroker, login } from "portier-client/testing";

import { clientOf } from "./sites.mjs";

const broker = new DevBroker();
after(() => broker.stop());

function siteWith(cookie, { trustsProxy = false } = {}) {
  const app = express();
  if (trustsProxy) app.set("trust proxy", 1);
  app.use(session({ secret: "cats", resave: false, saveUninitialized: false, cookie }));
  const { login, verify } = portier({
    client: clientOf(broker),
    defaultNext: "/members",
    onLogin({ email }, request) {
      return new Promise((resolve, reject) => {
        request.session.regenerate((error) => {
          if (error) return reject(error);
          request.session.email = email;
          request.session.save((error) => (error ? reject(error) : resolve()));
        });
      });
    },
  });
  app.use(verify);
  app.post("/login", login);
  app.get("/members", (request, response) => response.send(request.session.email ?? "nobody"));
  return app;
}

const afterLogin = async (app) => (await login(app, "alice@example.com")).response.text;

test("a session of express-session", async () => {
  assert.equal(await afterLogin(siteWith({ sameSite: "lax" })), "alice@example.com");
});

test("a cookie that is secure needs a site that trusts its proxy, as in production", async () => {
  const cookie = { sameSite: "lax", secure: true };
  assert.equal(await afterLogin(siteWith(cookie)), "nobody");
  assert.equal(await afterLogin(siteWith(cookie, { trustsProxy: true })), "alice@example.com");
});

test("a strict cookie is missing on the page to which the login leads, as in browsers", async () => {
  const visitor = await login(siteWith({ sameSite: "strict" }), "alice@example.com");
  assert.equal(visitor.response.text, "nobody");
  assert.equal((await visitor.visit("/members")).text, "alice@example.com");
});
