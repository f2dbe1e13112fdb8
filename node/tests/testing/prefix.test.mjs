// Sites behind a proxy that removes the beginning of the paths.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { DevBroker, expired, login, TestSession } from "portier-client/testing";

import { clientOf, FORM, SITES } from "./sites.mjs";

const broker = new DevBroker();
after(() => broker.stop());

const redirectUri = "https://example.com/app/verify";
const options = { callbackPath: "/verify", loginUrl: "/app/login" };
const siteOf = (name) => SITES[name](clientOf(broker, { redirectUri }), options);

for (const name of Object.keys(SITES)) {
  test(`${name} that does not know its prefix`, async (t) => {
    const app = await siteOf(name);
    t.after(() => app.close?.());
    const page = { action: "/login", prefix: "/app" };
    const session = await login(app, "alice@example.com", { ...page, next: "/app/members" });
    assert.equal(session.response.url, "https://example.com/app/members");
    assert.equal(session.response.text, "for alice@example.com");
    for (const path of ["/members", "/app/members"]) {
      assert.equal((await session.get(path)).text, "for alice@example.com", path);
    }
    assert.equal((await expired(app, "bob@example.com", page)).response.problem, "over");
  });
}

test("the site is told its prefix, and gets the paths without it", async () => {
  const seen = [];
  const app = (request) => {
    const { pathname } = new URL(request.url);
    seen.push([pathname, request.headers.get("x-forwarded-prefix")]);
    return new Response(FORM.replace("/login", "/app/login"), { headers: { "content-type": "text/html" } });
  };
  const session = new TestSession(app, { prefix: "/app" });
  for (const path of ["/app", "/app/login", "/login", "/application"]) await session.visit(path);
  assert.deepEqual(
    seen,
    ["/", "/login", "/login", "/application"].map((path) => [path, "/app"]),
  );
  assert.equal(session.response.url, "http://localhost/app/application");
});

test("an address outside of the prefix is another site", async () => {
  const app = () => new Response(FORM, { headers: { "content-type": "text/html" } });
  await assert.rejects(login(app, "alice@example.com", { prefix: "/app" }), {
    message: /not below the prefix of the site prefix=\/app path=\/login/,
  });
});

test("a login without the prefix says what to do", async (t) => {
  const app = await siteOf("a site of Express");
  t.after(() => app.close?.());
  await assert.rejects(login(app, "alice@example.com"), { name: "LoginFailed", message: /prefix: "\/app"/ });
});

test("a prefix is the beginning of a path", () => {
  for (const prefix of ["app", "/app/", "/", "/app?a=1", 5]) {
    assert.throws(() => new TestSession(() => new Response(), { prefix }), { code: "invalid_option" }, String(prefix));
  }
});
