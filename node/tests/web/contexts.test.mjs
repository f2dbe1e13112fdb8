// The asynchronous context in which the hooks of a site run: that of the request.
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { after, test } from "node:test";
import { setImmediate as soon } from "node:timers/promises";

import { LoginRefused, PortierClient } from "portier-client";
import { cancelled, DevBroker, login, refused } from "portier-client/testing";
import { portier } from "portier-client/web";

const broker = new DevBroker();
after(() => broker.stop());

const request = new AsyncLocalStorage();
const FORM = '<!doctype html><form method="post" action="/login"><input name="email"></form>';

test("hooks run in the context of the request that they are about, also after a wait", async () => {
  const seen = [];
  const note = async (hook) => {
    const before = request.getStore();
    await soon();
    seen.push([hook, before, request.getStore()]);
  };
  const auth = request.run("maker", () =>
    portier({
      client: new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin }),
      secret: "o9Xz-Q3kPw7_uJ2rT5yB8nV1cM4sD6fG",
      accept: async () => {
        await note("accept");
        return true;
      },
      onLogin: async ({ email }) => {
        await note("onLogin");
        if (email === "nobody@example.com") throw new LoginRefused();
      },
      onLoginError: () => note("onLoginError"),
      showProblem: () => note("showProblem"),
    }),
  );
  const serve = async (given) => {
    if (new URL(given.url).pathname === "/login" && given.method === "GET") {
      return new Response(FORM, { headers: { "content-type": "text/html" } });
    }
    const response = (await auth.handle(given)) ?? (await auth.requireLogin(given));
    return response instanceof Response ? response : new Response(response.email);
  };
  let count = 0;
  const app = (given) => {
    const name = `request ${++count}`;
    return request.run(name, async () => {
      const response = await serve(given);
      assert.equal(request.getStore(), name, "the site goes on in its context");
      return response;
    });
  };
  const visits = Array.from({ length: 8 }, async (_, index) => {
    const session = await login(app, `person-${index}@example.com`);
    await session.get("/members");
  });
  await Promise.all(visits);
  await cancelled(app, "alice@example.com");
  await refused(app, "nobody@example.com");
  const hooks = new Set(seen.map(([hook]) => hook));
  assert.deepEqual([...hooks].toSorted(), ["accept", "onLogin", "onLoginError", "showProblem"]);
  for (const [hook, before, later] of seen) {
    assert.match(before, /^request \d+$/, hook);
    assert.equal(later, before, hook);
  }
  // No two requests have their hooks in the context of one.
  const logins = seen.filter(([hook]) => hook === "onLogin").map(([, before]) => before);
  assert.equal(new Set(logins).size, logins.length);
});
