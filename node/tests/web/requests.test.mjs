// Which requests the handlers answer, and which they leave to the site.
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";

import formbody from "@fastify/formbody";

import { NO_WHOLE_TARGET } from "../client/runtime.mjs";
import { eachKind } from "./plain.mjs";
import { Visitor } from "./visitor.mjs";

const FORM = "application/x-www-form-urlencoded";
// The implicit flow, in which the broker's answer is a form as well.
const IMPLICIT = { flow: "implicit" };

eachKind((here) => {
  const isExpress = here.kind.startsWith("express");

  test("exactly one path is exempt", async (t) => {
    const first = isExpress ? undefined : (app) => app.register(formbody);
    const app = { routerOptions: { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true } };
    const site = await here.serve(t, IMPLICIT, { app, first });
    const visitor = new Visitor();
    const form = await site.answer(visitor);
    for (const path of ["/verify/", "/Verify", "//verify", "/verify;x", "/verify%2f", "/%76erify", "/x/verify"]) {
      const passed = await visitor.post(`${site.origin}${path}`, form, { follow: false });
      assert.deepEqual([passed.status, passed.text], [404, "nowhere"], path);
      assert.equal((await visitor.get(`${site.origin}${path}`)).status, 404, path);
    }
    for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"]) {
      const refused = await visitor.request(method, `${site.verify}?${new URLSearchParams(form)}`);
      assert.deepEqual([refused.status, refused.headers.allow], [405, "POST"], method);
      assert.equal(refused.text === "", method === "HEAD");
    }
    const done = await visitor.post(`${site.verify}?utm_source=mail`, form, { follow: false });
    assert.equal(done.status, 303, "a query does not matter");
  });

  for (const [what, target] of [["as a path", ""], ["as a whole URL", "http://proxy.example"]]) {
    const skip = !isExpress && target !== "" && NO_WHOLE_TARGET;
    test(`a path that a proxy has changed is answered, given as ${what}`, { skip }, async (t) => {
      const site = await here.serve(t, { callbackPath: "/verify", ...IMPLICIT }, { client: { redirectUri: "https://example.com/app/verify" } });
      const visitor = new Visitor();
      const body = String(new URLSearchParams(await site.answer(visitor)));
      const headers = { "Content-Type": FORM, Cookie: `__Host-portier=${visitor.cookie("__Host-portier").value}` };
      const send = (path) => raw(site.origin, `${target}${path}`, headers, body);
      assert.equal(await send("/app/verify"), 404);
      assert.equal(await send("/verify"), 303);
    });
  }

  test("a form is bounded, whatever its content-length", async (t) => {
    const site = await here.serve(t);
    const { origin } = site;
    for (const url of [site.verify, `${origin}/login`]) {
      const large = { id_token: "a".repeat(70_000) };
      assert.equal((await new Visitor().post(url, large, { origin })).status, 413);
      const unsaid = await post(url, Array.from({ length: 70 }, () => "a".repeat(1000)));
      assert.equal(unsaid, 413);
    }
    assert.equal((await new Visitor().post(site.verify, { id_token: "a".repeat(60_000) })).status, 400);
  });

  test("the typed values are available to show the form again", async (t) => {
    const site = await here.serve(t, {
      onLoginError: (error, { body }, response) => {
        response.header("content-type", "application/json").status(422).send(JSON.stringify({ ...body, known: body.email }));
      },
    });
    const again = await site.start(new Visitor(), { email: "nobody", next: "/members" });
    assert.deepEqual(JSON.parse(again.text), { email: "nobody", next: "/members", known: "nobody" });
    const headers = { "Content-Type": "application/json" };
    const json = await new Visitor().request("POST", `${site.origin}/login`, { headers, body: '{"email":"nobody"}' });
    assert.deepEqual([json.status, json.text], [422, "{}"]);
  });

  if (isExpress) {
    const parsers = {
      none: () => [],
      urlencoded: (express) => [express.urlencoded({ extended: false })],
      "urlencoded extended": (express) => [express.urlencoded({ extended: true })],
      "json, for other routes": (express) => [express.json()],
      raw: (express) => [express.raw({ type: () => true })],
      text: (express) => [express.text({ type: () => true })],
      all: (express) => [express.json(), express.text(), express.raw(), express.urlencoded({ extended: true })],
    };
    for (const [what, make] of Object.entries(parsers)) {
      test(`a parser of the site does no harm: ${what}`, async (t) => {
        const first = (app, express) => make(express).forEach((parser) => app.use(parser));
        const site = await here.serve(t, IMPLICIT, { first });
        const done = await site.logIn({ next: "/members" });
        assert.deepEqual([done.status, done.headers.location], [303, "/members"]);
      });
    }
  }
});

/** Posts to a given target; returns the status. */
function raw(origin, path, headers, body) {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    const request = http.request({ hostname, port, path, method: "POST", headers, agent: false }, (response) => {
      resolve(response.statusCode);
      response.resume();
    });
    request.on("error", reject).end(body);
  });
}

/** Sends a chunked body without a length; returns the status. */
function post(url, chunks) {
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": FORM };
    const request = http.request(url, { method: "POST", headers, agent: false }, (response) => {
      resolve(response.statusCode);
      response.resume();
    });
    request.on("error", reject);
    for (const chunk of chunks) request.write(chunk);
    request.end();
  });
}
