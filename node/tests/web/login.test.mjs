// Logging in to the example sites, as a person does.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { DevBroker } from "portier-client/testing";

import { EXAMPLES, serve } from "./site.mjs";
import { Visitor } from "./visitor.mjs";

for (const [name, make] of Object.entries(EXAMPLES)) {
  describe(name, () => {
    let broker, site, stop;
    before(async () => {
      broker = new DevBroker();
      ({ origin: site, stop } = await serve(make, { broker: broker.origin }));
    });
    after(() => {
      stop();
      broker.stop();
    });

    /** From the login page to the form the broker has the browser post; nothing is posted. */
    async function walk(visitor, email = "alice@example.com", next = "") {
      const login = await visitor.get(`${site}/login?next=${encodeURIComponent(next)}`);
      const asked = await visitor.submit(login, "/login", { email });
      return visitor.submit(asked, "", { answer: "continue" });
    }

    test("a visitor logs in and out", async () => {
      const visitor = new Visitor();
      const index = await visitor.get(`${site}/`);
      assert.ok(!index.text.includes("alice@example.com"));
      const asked = await visitor.submit(index, "/login", { email: "Alice@Example.com" });
      assert.ok(asked.url.startsWith(`${broker.origin}/auth?`));
      assert.ok(asked.text.includes("Alice@Example.com"));
      const answer = await visitor.submit(asked, "", { answer: "continue" });
      assert.equal(answer.form().action, `${site}/verify`);
      const greeting = await visitor.submit(answer, "");
      assert.equal(greeting.url, `${site}/`);
      assert.ok(greeting.text.includes("alice@example.com"));
      const goodbye = await visitor.submit(greeting, "/logout");
      assert.equal(goodbye.url, `${site}/`);
      assert.ok(!goodbye.text.includes("alice@example.com"));
    });

    test("a login leads back to the page that needed it", async () => {
      const visitor = new Visitor();
      const refused = await visitor.get(`${site}/members`, { follow: false });
      assert.equal(refused.status, 302);
      const login = await visitor.get(`${site}/members`);
      const start = await visitor.submit(login, "/login", { email: "bob@example.com" });
      assert.ok(!start.url.includes("members"), "it travels in the store");
      const members = await visitor.submit(await visitor.submit(start, "", { answer: "continue" }), "");
      assert.deepEqual([members.url, members.status], [`${site}/members`, 200]);
      assert.ok(members.text.includes("bob@example.com"));
    });

    for (const next of ["//evil.example", "https://evil.example/", "/\\evil.example", "/%2f/evil.example"]) {
      test(`WEB-04 a login never leads off the site next=${next}`, async () => {
        const visitor = new Visitor();
        const end = await visitor.submit(await walk(visitor, "bob@example.com", next), "");
        assert.equal(end.url, `${site}/`);
      });
    }

    test("the redirect to the broker is private", async () => {
      const visitor = new Visitor();
      const login = await visitor.get(`${site}/login`);
      const fields = { email: "bob@example.com" };
      const { status, headers } = await visitor.submit(login, "/login", fields, { follow: false });
      assert.equal(status, 303);
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["referrer-policy"], "no-referrer");
      const query = new URL(headers.location).searchParams;
      assert.equal(query.get("redirect_uri"), `${site}/verify`);
    });

    test("WEB-09 the answer to the callback is private", async () => {
      const visitor = new Visitor();
      const answer = await visitor.submit(await walk(visitor), "", {}, { follow: false });
      assert.deepEqual([answer.status, answer.text], [303, ""]);
      assert.equal(answer.headers["cache-control"], "no-store");
      assert.equal(answer.headers["referrer-policy"], "no-referrer");
      const { flags } = visitor.cookies.get("localhost").get("session");
      assert.match(flags, /HttpOnly/i);
      assert.match(flags, /SameSite=Lax/i);
      assert.doesNotMatch(flags, /Secure/i, "plain http on this machine");
    });

    test("the login page may redirect its form to the broker", async () => {
      const { headers } = await new Visitor().get(`${site}/login`);
      const policy = headers["content-security-policy"];
      assert.ok(policy.includes(`form-action 'self' ${broker.origin} https://accounts.google.com;`));
      assert.ok(policy.includes("frame-ancestors 'none'"));
    });

    test("the pages have their looks", async () => {
      const visitor = new Visitor();
      for (const [path, type] of [["site.css", "text/css"], ["icon.svg", "image/svg+xml"]]) {
        const { status, headers } = await visitor.get(`${site}/static/${path}`);
        assert.equal(status, 200);
        assert.ok(headers["content-type"].startsWith(type));
      }
    });

    test("WEB-21 two tabs log in one after the other", async () => {
      const visitor = new Visitor();
      const [first, second] = [await walk(visitor, "one@example.com"), await walk(visitor, "two@example.com")];
      assert.ok((await visitor.submit(second, "")).text.includes("two@example.com"));
      assert.ok((await visitor.submit(first, "")).text.includes("one@example.com"));
    });

    test("a login may be finished in another browser", async () => {
      const callback = await walk(new Visitor());
      assert.ok((await new Visitor().submit(callback, "")).text.includes("alice@example.com"));
    });
  });
}
