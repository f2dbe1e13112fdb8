// What the example sites refuse, and how they say so.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { DevBroker } from "portier-client/testing";

import { EXAMPLES, serve } from "./site.mjs";
import { Visitor } from "./visitor.mjs";

const OVER = "This sign-in is over";
const FAILED = "Sign-in did not work";

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

    async function ask(visitor, email = "alice@example.com") {
      return visitor.submit(await visitor.get(`${site}/login`), "/login", { email });
    }
    const walk = async (visitor) => visitor.submit(await ask(visitor), "", { answer: "continue" });
    const isSignedIn = (visitor) => visitor.cookies.get("localhost")?.has("session") ?? false;

    test("a replayed callback is refused", async () => {
      const visitor = new Visitor();
      const callback = await walk(visitor);
      assert.equal((await visitor.submit(callback, "")).status, 200);
      visitor.cookies.clear();
      const replayed = await visitor.submit(callback, "");
      assert.equal(replayed.status, 400);
      assert.ok(replayed.text.includes(OVER));
      assert.ok(!isSignedIn(visitor));
    });

    test("a cancelled login is no login", async () => {
      const visitor = new Visitor();
      const answer = await visitor.submit(await ask(visitor), "", { answer: "cancel" });
      const cancelled = await visitor.submit(answer, "");
      assert.equal(cancelled.status, 403);
      assert.ok(cancelled.text.includes("Sign-in cancelled"));
      assert.ok(!isSignedIn(visitor));
    });

    for (const [what, changes, words] of [
      ["nonce", { nonce: "A".repeat(32) }, OVER],
      ["expired", { claims: { iat: 1, exp: 2 } }, OVER],
      ["audience", { claims: { aud: "https://other.example" } }, FAILED],
      ["issuer", { claims: { iss: "https://other.example" } }, FAILED],
      ["signature", { claims: { email: "mallory@example.com" }, key: "stranger" }, FAILED],
      ["algorithm", { header: { alg: "none" } }, FAILED],
    ]) {
      test(`a forged token is refused ${what}`, async () => {
        const visitor = new Visitor();
        const { url } = await ask(visitor);
        const id_token = broker.mint({ url, ...changes });
        const refused = await visitor.post(`${site}/verify`, { id_token });
        assert.equal(refused.status, 400);
        assert.ok(refused.text.includes(words));
        assert.ok(!isSignedIn(visitor));
      });
    }

    for (const id_token of ["", "x", "a.b.c", "\0", "é".repeat(100), "a".repeat(20_000)]) {
      test(`junk is refused ${JSON.stringify(id_token.slice(0, 6))}`, async () => {
        const refused = await new Visitor().post(`${site}/verify`, { id_token, state: "" });
        assert.equal(refused.status, 400);
        assert.ok(refused.text.includes(FAILED));
      });
    }

    test("a repeated parameter is refused", async () => {
      const twice = new URLSearchParams("id_token=a&id_token=b");
      assert.equal((await new Visitor().post(`${site}/verify`, twice)).status, 400);
    });

    test("the callback takes forms only", async () => {
      const visitor = new Visitor();
      const json = { "content-type": "application/json" };
      assert.equal((await visitor.request("POST", `${site}/verify`, "{}", json)).status, 415);
      assert.equal((await visitor.request("POST", `${site}/verify`)).status, 415);
      const large = await visitor.post(`${site}/verify`, { id_token: "a".repeat(70_000) });
      assert.equal(large.status, 413);
    });

    for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
      test(`WEB-23 only a post completes a login ${method}`, async () => {
        const visitor = new Visitor();
        const callback = await walk(visitor);
        const query = new URLSearchParams(callback.form().fields);
        const refused = await visitor.request(method, `${site}/verify?${query}`);
        assert.equal(refused.status, ["GET", "HEAD"].includes(method) ? 405 : 404);
        assert.equal((await visitor.submit(callback, "")).status, 200, "nothing was consumed");
      });
    }

    for (const path of ["/login", "/logout"]) {
      test(`WEB-05 no other page takes a post from elsewhere ${path}`, async () => {
        const visitor = new Visitor();
        await visitor.submit(await walk(visitor), "");
        for (const fields of [{}, { _token: "guess" }]) {
          const refused = await visitor.post(`${site}${path}`, { email: "v@example.com", ...fields });
          assert.equal(refused.status, 403);
        }
        assert.ok((await visitor.get(`${site}/`)).text.includes("alice@example.com"), "still signed in");
      });
    }

    test("a forged cookie signs nobody in", async () => {
      const visitor = new Visitor();
      const session = JSON.stringify({ email: "mallory@example.com", since: Date.now() });
      for (const value of [encodeURIComponent(session), `s%3A${encodeURIComponent(session)}.forged`]) {
        visitor.cookies.set("localhost", new Map([["session", { value, flags: "" }]]));
        assert.ok(!(await visitor.get(`${site}/`)).text.includes("mallory"));
      }
      // A good signature on something else is no session either.
      visitor.cookies.clear();
      await visitor.get(`${site}/`);
      const jar = visitor.cookies.get("localhost");
      jar.set("session", jar.get("token"));
      assert.equal((await visitor.get(`${site}/members`, { follow: false })).status, 302);
    });

    test("an impossible address is asked for again", async () => {
      const visitor = new Visitor();
      const login = await visitor.get(`${site}/login?next=/members`);
      for (const email of ["", "nobody", "a@b@c.example", "a b@example.com"]) {
        const again = await visitor.submit(login, "/login", { email });
        assert.equal(again.status, 400);
        const { fields } = again.form("/login");
        assert.deepEqual([fields.email, fields.next], [email, "/members"]);
        assert.ok(again.text.includes("does not look like an e-mail address"));
      }
    });

    for (const text of ["<script>alert(1)</script>", "\"><img src=x>'&", "\u202eevil"]) {
      test(`WEB-12 markup is not taken over ${JSON.stringify(text)}`, async () => {
        const visitor = new Visitor();
        const login = await visitor.get(`${site}/login`);
        const again = await visitor.submit(login, "/login", { email: text, next: text });
        assert.equal(again.form("/login").fields.email, text);
        assert.doesNotMatch(again.text, /<script|<img src=x/);
        for (const fields of [{ error: text }, { error: "server_error", error_description: text }]) {
          const answer = await visitor.post(`${site}/verify`, fields);
          assert.equal(answer.status, 400);
          assert.ok(!answer.text.includes(text));
        }
      });
    }

    test("a page that is not there has the looks of the site", async () => {
      const missing = await new Visitor().get(`${site}/no/such/page`);
      assert.equal(missing.status, 404);
      assert.ok(missing.text.includes("The Reading Room"));
    });

    test("a broker that is down is said to be", async () => {
      const gone = new DevBroker();
      const { origin, stop } = await serve(make, { broker: gone.origin });
      gone.stop();
      const visitor = new Visitor();
      const login = await visitor.get(`${origin}/login`);
      const down = await visitor.submit(login, "/login", { email: "alice@example.com" });
      assert.equal(down.status, 503);
      assert.ok(Number(down.headers["retry-after"]) > 0);
      assert.ok(down.text.includes("does not answer"));
      stop();
    });
  });
}
