// Small sites on the frameworks that use `portier-client/web`: each is built, served and logged in to.
//
// `npm ci` installs a framework in the folder of its site. FRAMEWORKS="next astro" selects some.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { DevBroker } from "../../node/dist/testing.mjs";
import { Visitor } from "../../node/tests/web/visitor.mjs";
import { build, install, randomSecret, serve, SITES } from "./sites.mjs";

const selected = process.env.FRAMEWORKS?.split(/[ ,]+/).filter(Boolean);
const names = Object.keys(SITES).filter((name) => selected?.includes(SITES[name].folder ?? name) ?? true);
const ALICE = { email: "alice@example.com" };
// What a browser says of a page. The development server of Nitro changes the mode.
const NAVIGATES = { "sec-fetch-dest": "document", "sec-fetch-mode": "navigate" };

let broker;
before(() => {
  broker = new DevBroker();
});
after(() => broker.stop());

for (const name of names) {
  describe(name, { timeout: 600_000 }, () => {
    before(() => {
      install(name);
      build(name);
    });

    for (const [how, where] of [
      ["serve", "in production"],
      ["develop", "in development"],
    ]) {
      if (!(how in SITES[name])) continue;
      test(`people log in, sign out, and see problems ${where}`, async (t) => {
        const settings = { BROKER: broker.origin, SESSION_SECRET: randomSecret() };
        const site = await serve(t, name, how, settings);
        try {
          await logIn(site);
          await cancel(site);
        } catch (error) {
          error.message += `\n${site.output()}`;
          throw error;
        }
      });
    }
  });
}

/** A guarded page leads to the login form, and the login back. Then the person signs out. */
async function logIn(site) {
  const { origin, verify } = site;
  const visitor = visitorOf(site);
  const turned = await visitor.get(`${origin}/members`, { follow: false });
  assert.ok([302, 303, 307].includes(turned.status), `status ${turned.status}`);
  const login = await visitor.get(new URL(turned.headers.location, origin).href);
  const started = await visitor.submit(login, "/login", ALICE, { follow: false });
  assert.equal(started.status, 303, started.text);
  const query = new URLSearchParams(broker.signIn(started.headers.location));
  for (const _ of ["first", "reloaded"]) {
    const done = await visitor.get(`${verify}?${query}`, { follow: false });
    assert.deepEqual([done.status, done.headers.location], [303, "/members"], done.text);
    assert.equal(done.headers["cache-control"], "no-store, no-transform");
  }
  assert.ok(visitor.cookie("portier-session") && visitor.cookie("portier-signed-in"), "every cookie is set");
  assert.match((await visitor.get(`${origin}/members`)).text, /For alice@example\.com\./);
  const signedOut = await visitor.submit(await visitor.get(origin), "/logout");
  assert.match(signedOut.text, /Your address/);
  assert.equal(visitor.cookie("portier-session"), undefined);
}

/** A problem has a page of its own, and a form of another site is refused. */
async function cancel(site) {
  const { origin, verify } = site;
  const visitor = visitorOf(site);
  await visitor.submit(await visitor.get(origin), "/login", ALICE, { follow: false });
  const cancelled = await visitor.get(`${verify}?error=access_denied`);
  assert.equal(cancelled.status, 403, cancelled.text);
  assert.match(cancelled.text, /data-id="cancelled"/);
  assert.match(cancelled.headers["content-security-policy"], /default-src 'none'/);
  const foreign = await visitor.post(new URL("login", verify).href, ALICE);
  assert.equal(foreign.status, 403, foreign.text);
}

function visitorOf({ headers }) {
  const visitor = new Visitor();
  visitor.headers = { ...NAVIGATES, ...headers };
  return visitor;
}
