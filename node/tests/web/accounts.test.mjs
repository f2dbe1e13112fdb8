// Which account a request belongs to, and what the site decides about it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";

import express from "express";
import Fastify from "fastify";
import PortierClient from "portier-client";
import * as forExpress from "portier-client/express";
import * as forFastify from "portier-client/fastify";

import { eachKind } from "./plain.mjs";
import { eachSite } from "./sites.mjs";
import { Visitor } from "./visitor.mjs";

eachKind((here) => {
  const isExpress = here.kind.startsWith("express");

  test("a site may limit how many logins start", async (t) => {
    let left = 2;
    const isTooMany = (url) => url === "/login" && left-- <= 0;
    const refuse = (response) => response.status(429).header("Retry-After", "60").send("please wait");
    const site = await here.serve(t, {}, {
      async first(app) {
        if (isExpress) {
          app.use((request, response, next) => (isTooMany(request.url) ? refuse(response) : next()));
        } else {
          app.addHook("onRequest", async (request, reply) => {
            if (isTooMany(request.url)) return refuse(reply);
          });
        }
      },
    });
    const pages = [];
    for (const name of "abc") pages.push(await site.start(new Visitor(), { email: `${name}@example.com` }));
    assert.deepEqual(pages.map(({ status }) => status), [303, 303, 429]);
    assert.equal(pages[2].headers.location, undefined);
    assert.equal(site.client.stats().loginsStarted, 2);
  });

  test("a site may choose which addresses it accepts", async (t) => {
    const site = await here.serve(t, {
      onLogin({ email }, request, response) {
        if (!email.endsWith("@example.com")) return response.status(403).send("for staff only");
        response.header("x-email", email);
      },
    });
    for (const [email, status] of [["alice@example.com", 303], ["alice@example.com.evil.example", 403]]) {
      const answer = await site.logIn({ email });
      assert.equal(answer.status, status);
      assert.equal(answer.headers["x-email"], status === 303 ? email : undefined);
    }
  });

  test("a printed error of a request shows no secrets", async (t) => {
    const seen = [];
    const site = await here.serve(t, { flow: "implicit", onLoginError: (error) => void seen.push(error) });
    const visitor = new Visitor();
    const form = await site.answer(visitor);
    const secret = visitor.cookie("portier").value;
    await site.finish(visitor, { ...form, id_token: `${form.id_token}x`, state: "s3cret" });
    await site.finish(new Visitor(), { ...form, id_token: form.id_token.replace(/\..*\./, ".e30."), state: "s3cret" });
    assert.equal(seen.length, 2);
    const signature = form.id_token.split(".")[2];
    for (const error of seen) {
      const printed = `${error.stack} ${JSON.stringify(error)}`;
      for (const text of [signature, secret, "s3cret", "alice"]) assert.ok(!printed.includes(text), text);
    }
  });
});

// One handler for all hosts of a server: it selects the site from a table.
const TENANTS = {
  express(client, onLogin) {
    const app = express();
    const { login, verify } = forExpress.portier({ client, flow: "implicit", onLogin });
    return app.use(verify).post("/login", login);
  },
  async fastify(client, onLogin) {
    const app = Fastify();
    await app.register(forFastify.portier, { client, flow: "implicit", onLogin, loginPath: "/login" });
    await app.ready();
    return app.routing;
  },
};

eachSite((here) => {
  test("each host may have its own client", async (t) => {
    const hosts = ["one.example", "two.example"];
    const table = new Map();
    for (const host of hosts) {
      const client = new PortierClient({ redirectUri: `https://${host}/verify`, broker: here.broker.origin });
      const onLogin = ({ email }, request, response) => response.send(`${email} at ${client.clientId}`);
      table.set(host, await TENANTS[here.name](client, onLogin));
    }
    const server = createServer((request, response) => {
      const tenant = table.get(request.headers.host);
      if (tenant === undefined) response.writeHead(404).end();
      else tenant(request, response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    const origin = `http://localhost:${server.address().port}`;
    const visitor = new Visitor();
    const post = (host, page, fields) => {
      visitor.headers = { Host: host };
      return visitor.post(`${origin}${page}`, fields, { origin, follow: false });
    };
    for (const [host, other] of [hosts, hosts.toReversed()]) {
      const started = await post(host, "/login", { email: "alice@example.com" });
      const url = started.headers.location;
      assert.equal(new URL(url).searchParams.get("client_id"), `https://${host}`);
      const answer = { id_token: here.broker.mint({ url }) };
      assert.equal((await post(other, "/verify", answer)).status, 400);
      assert.equal((await post("three.example", "/verify", answer)).status, 404);
      assert.equal((await post(host, "/verify", answer)).text, `alice@example.com at https://${host}`);
    }
  });
});
