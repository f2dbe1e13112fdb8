// Whom a site takes a visitor for, and what a site decides about that by itself.
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

eachSite((here) => {
  for (const email of [
    "alice@example.com\r\nBcc: mallory@example.com",
    "alice\r\nBcc:mallory@example.com",
    "alice\n@example.com",
    "alice\0@example.com",
    "alice\x85@example.com",
    "alice@example.com\t",
  ]) {
    test(`web_11 an address that would begin a header signs nobody in: ${JSON.stringify(email)}`, async () => {
      const visitor = new Visitor();
      const refused = await finish(visitor, await start(visitor, "alice@example.com"), { email });
      assert.equal(refused.status, 400);
      assert.doesNotMatch((await visitor.get(`${here.site.origin}/`)).text, /Sign out/);
    });
  }

  test("web_13 an account is an address in normalized form", async () => {
    const visitor = new Visitor();
    const welcome = await finish(visitor, await start(visitor, " BJÖRN@GÖTEBORG.test "));
    assert.ok(welcome.text.includes("björn@xn--gteborg-90a.test"));
    // Its first letter is Cyrillic.
    const lookAlike = "\u0430lice@example.com";
    const other = new Visitor();
    const page = await finish(other, await start(other, lookAlike));
    assert.ok(page.text.includes(lookAlike));
    assert.ok(!page.text.includes("alice@example.com"));
  });

  test("web_14 what was typed is nobody's name", async () => {
    const visitor = new Visitor();
    const typed = "a.lice@example.com";
    const claims = { email: "alice@example.com", email_original: typed };
    const welcome = await finish(visitor, await start(visitor, typed), claims);
    assert.equal(welcome.status, 200);
    assert.ok(welcome.text.includes("alice@example.com"));
    assert.ok(!welcome.text.includes(typed));
  });

  test("web_07 a start tells nothing of who has an account", async () => {
    const member = new Visitor();
    assert.equal((await finish(member, await start(member, "member@example.com"))).status, 200);
    const answers = [];
    for (const email of ["member@example.com", "nobody@example.com"]) {
      const visitor = new Visitor();
      const login = await visitor.get(`${here.site.origin}/login`);
      const page = await visitor.submit(login, "/login", { email }, { follow: false });
      const { origin, pathname, searchParams } = new URL(page.headers.location);
      const query = Object.fromEntries(searchParams);
      assert.equal(query.login_hint, email);
      // The date, the nonce and the browser's secret differ from request to request.
      const names = Object.keys(page.headers).toSorted();
      answers.push([page.status, page.text, origin, pathname, { ...query, login_hint: "", nonce: "" }, names]);
    }
    assert.deepEqual(answers[0], answers[1]);
  });

  /** Starts a login; gives the URL at the broker. */
  async function start(visitor, email) {
    const login = await visitor.get(`${here.site.origin}/login`);
    const started = await visitor.submit(login, "/login", { email }, { follow: false });
    assert.equal(started.status, 303);
    return started.headers.location;
  }

  /** Ends a login as the broker does that says certain things. */
  function finish(visitor, url, claims = {}) {
    const token = here.broker.mint({ url, claims });
    return visitor.post(`${here.site.origin}/verify`, { id_token: token, state: "" });
  }
});

eachKind((here) => {
  const isExpress = here.kind.startsWith("express");

  test("web_06 a site may limit how many logins start", async (t) => {
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

  test("web_17 a site may take addresses of its own choice", async (t) => {
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

  test("web_10 what is printed of a request's failure has none of its secrets", async (t) => {
    const seen = [];
    const site = await here.serve(t, { onLoginError: (error) => void seen.push(error) });
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

// One handler for all hosts of a server: it picks the site by a table, and never by what a request says.
const TENANTS = {
  express(client, onLogin) {
    const app = express();
    const { login, verify } = forExpress.portier({ client, onLogin });
    return app.use(verify).post("/login", login);
  },
  async fastify(client, onLogin) {
    const app = Fastify();
    await app.register(forFastify.portier, { client, onLogin, loginPath: "/login" });
    await app.ready();
    return app.routing;
  },
};

eachSite((here) => {
  test("web_25 each host has a client of its own", async (t) => {
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
