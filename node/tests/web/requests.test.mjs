// Which requests the handlers take, and which they leave to the site.
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import formbody from "@fastify/formbody";

import { eachKind } from "./plain.mjs";
import { Visitor } from "./visitor.mjs";

const FORM = "application/x-www-form-urlencoded";

eachKind((here) => {
  const isExpress = here.kind.startsWith("express");

  test("web_06 forms of other sites start no logins", async (t) => {
    const site = await here.serve(t);
    const from = (headers) =>
      new Visitor().request("POST", `${site.origin}/login`, {
        headers: { "Content-Type": FORM, ...headers },
        body: "email=alice@example.com",
      });
    const fetched = (value) => ({ "Sec-Fetch-Site": value, Origin: site.origin });
    for (const headers of [
      fetched("cross-site"),
      fetched("same-site"),
      fetched(""),
      { Origin: "https://evil.example" },
      { Origin: "null" },
      { Origin: `${site.origin}.evil.example` },
      { Origin: site.origin.replace("http:", "https:") },
    ]) {
      const refused = await from(headers);
      assert.equal(refused.status, 403, JSON.stringify(headers));
      assert.match(refused.text, /The form came from another site/);
    }
    assert.equal(site.client.stats().loginsStarted, 0);
    for (const headers of [
      fetched("same-origin"),
      fetched("none"),
      { "Sec-Fetch-Site": "same-origin", Origin: "null" },
      { Origin: site.origin },
      {},
    ]) {
      assert.equal((await from(headers)).status, 303, JSON.stringify(headers));
    }
  });

  test("web_05 one path is exempt, letter by letter", async (t) => {
    const first = isExpress ? undefined : (app) => app.register(formbody);
    const app = { routerOptions: { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true } };
    const site = await here.serve(t, {}, { app, first });
    const visitor = new Visitor();
    const form = await site.answer(visitor);
    for (const path of ["/verify/", "/Verify", "//verify", "/verify;x", "/verify%2f", "/%76erify", "/x/verify"]) {
      const passed = await visitor.post(`${site.origin}${path}`, form, { follow: false });
      assert.deepEqual([passed.status, passed.text], [404, "nowhere"], path);
      assert.equal((await visitor.get(`${site.origin}${path}`)).status, 404, path);
    }
    for (const method of ["PUT", "PATCH", "DELETE"]) {
      assert.equal((await visitor.request(method, site.verify)).status, 404, method);
    }
    const done = await visitor.post(`${site.verify}?utm_source=mail`, form, { follow: false });
    assert.equal(done.status, 303, "a query does not matter");
  });

  test("web_23 a visit completes no login", async (t) => {
    const site = await here.serve(t);
    const visitor = new Visitor();
    const form = await site.answer(visitor);
    const url = `${site.verify}?${new URLSearchParams(form)}`;
    for (const method of ["GET", "HEAD"]) {
      const refused = await new Visitor().request(method, url);
      assert.deepEqual([refused.status, refused.headers.allow], [405, "POST"]);
    }
    assert.equal((await site.finish(visitor, form)).status, 303);
  });

  for (const path of ["/", "/auth/verify", "/pr%C3%BCfen", "/a:b", "/verify.php", "/ver%20ify"]) {
    test(`the redirect URI is where the client says: ${path}`, async (t) => {
      const site = await here.serve(t, {}, { path });
      assert.equal((await new Visitor().get(site.verify)).status, 405);
      assert.equal((await site.logIn()).status, 303);
    });
  }

  test("a fragment is posted by a page of ours", async (t) => {
    const site = await here.serve(t, {}, { client: { responseMode: "fragment" } });
    const visitor = new Visitor();
    const form = await site.answer(visitor);
    const page = await visitor.get(site.verify);
    assert.equal(page.status, 200);
    assert.match(page.headers["content-security-policy"], /script-src 'sha256-[^']+'; .*form-action 'self'/);
    assert.equal(page.headers["cache-control"], "no-store");
    const sent = { ...page.form("").fields, ...form };
    const done = await visitor.post(site.verify, sent, { origin: page.url, follow: false });
    assert.equal(done.status, 303);
    const head = await visitor.request("HEAD", site.verify);
    assert.deepEqual([head.status, head.text], [200, ""]);
  });

  test("only forms are taken", async (t) => {
    const site = await here.serve(t);
    const visitor = new Visitor();
    const form = await site.answer(visitor);
    const body = String(new URLSearchParams(form));
    const types = ["application/json", "text/plain", `${FORM}x`, "multipart/form-data; boundary=x", ""];
    for (const type of types) {
      const headers = type === "" ? {} : { "Content-Type": type };
      for (const url of [site.verify, `${site.origin}/login`]) {
        const refused = await new Visitor().request("POST", url, { headers, body });
        assert.equal(refused.status, 415, `${type} ${url}`);
        assert.match(refused.text, /The request was not a form/);
      }
    }
    const packed = await new Visitor().request("POST", site.verify, {
      headers: { "Content-Type": FORM, "Content-Encoding": "gzip" },
      body: gzipSync(body),
    });
    assert.equal(packed.status, 415);
    const headers = { "Content-Type": `${FORM.toUpperCase()}; charset=UTF-8` };
    const done = await visitor.request("POST", site.verify, { headers, body });
    assert.equal(done.status, 303, "nothing was consumed");
  });

  test("a form is bounded, whatever length it says", async (t) => {
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

  test("a form of many fields is taken apart at once", async (t) => {
    const site = await here.serve(t);
    const visitor = new Visitor();
    const form = await site.answer(visitor);
    const many = [...Object.entries(form), ...Array.from({ length: 20_000 }, () => ["a", ""])];
    assert.equal((await site.finish(visitor, many)).status, 303);
    assert.equal((await site.finish(new Visitor(), [["id_token", "x"], ["id_token", "y"]])).status, 400);
    assert.equal((await site.finish(new Visitor(), { __proto__x: "", ["__proto__"]: "x" })).status, 400);
  });

  test("a browser that goes away in the middle harms nobody", async (t) => {
    const site = await here.serve(t);
    await new Promise((resolve) => {
      const headers = { "Content-Type": FORM, "Content-Length": "1000" };
      const request = http.request(site.verify, { method: "POST", headers, agent: false });
      request.on("error", resolve);
      request.write("id_token=", () => setImmediate(() => request.destroy(new Error("gone"))));
    });
    assert.equal((await site.logIn()).status, 303);
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
        const site = await here.serve(t, {}, { first });
        const done = await site.logIn({ next: "/members" });
        assert.deepEqual([done.status, done.headers.location], [303, "/members"]);
      });
    }

    test("what was typed is there when it has to be shown again", async (t) => {
      const site = await here.serve(t, {
        onLoginError: (error, { body }, response) => response.status(400).json({ ...body }),
      });
      const again = await site.start(new Visitor(), { email: "nobody", next: "/members" });
      assert.deepEqual(JSON.parse(again.text), { email: "nobody", next: "/members" });
    });
  }
});

/** Sends chunks without saying how many; gives the status. */
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
