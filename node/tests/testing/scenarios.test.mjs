// What goes wrong with a login, each in one line.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import * as kit from "portier-client/testing";
import { LoginRefused } from "portier-client";
import { DevBroker } from "portier-client/testing";

import { clientOf, SITES } from "./sites.mjs";

const broker = new DevBroker();
after(() => broker.stop());

const EMAIL = "alice@example.com";
const FLOWS = ["code", "implicit"];
const site = (options = {}, client = clientOf(broker)) => SITES["a handler of fetch"](client, options);

async function isSignedIn(session) {
  const { status, text } = await session.get("/members");
  return status === 200 ? text : false;
}

for (const flow of FLOWS) {
  describe(`in the ${flow} flow`, { timeout: 60_000 }, () => {
    test("an account that the site refuses", async () => {
      const onLogin = ({ email }) => {
        if (email === "eve@example.com") return new Response("members of the club only", { status: 403 });
        if (email !== EMAIL) throw new LoginRefused("no account", { code: "account_unknown" });
      };
      const app = site({ flow, onLogin });
      const unknown = await kit.refused(app, "bob@example.com");
      assert.deepEqual([unknown.response.status, unknown.response.problem], [403, "account_unknown"]);
      const blocked = await kit.refused(app, "eve@example.com");
      assert.deepEqual([blocked.response.status, blocked.response.problem], [403, null]);
      assert.equal(blocked.response.text, "members of the club only");
      for (const session of [unknown, blocked]) assert.equal(await isSignedIn(session), false);
      const message = /the site did not refuse the login: it signed in/;
      await assert.rejects(kit.refused(app, EMAIL), { name: "LoginFailed", message });
    });

    test("an answer that comes too late", async () => {
      const session = await kit.expired(site({ flow }), EMAIL);
      assert.deepEqual([session.response.status, session.response.problem], [400, "over"]);
      assert.equal(await isSignedIn(session), false);
    });

    test("a person who cancels", async () => {
      const session = await kit.cancelled(site({ flow }), EMAIL);
      assert.deepEqual([session.response.status, session.response.problem], [403, "cancelled"]);
      assert.equal(await isSignedIn(session), false);
    });

    test("an answer that is replayed in another browser", async () => {
      const session = await kit.replayed(site({ flow }), EMAIL);
      assert.deepEqual([session.response.status, session.response.problem], [400, "used"]);
      assert.equal(await isSignedIn(session), false);
    });

    test("an answer in another browser, which agrees", async () => {
      const session = await kit.otherBrowser(site({ flow }), EMAIL, { next: "/members" });
      assert.match(session.response.text, /alice@example\.com/);
      assert.equal(await isSignedIn(session), false);
      await session.confirm();
      assert.equal(session.response.text, "for alice@example.com");
    });

    test("an answer in another browser, which the site refuses", async () => {
      const session = await kit.otherBrowser(site({ flow, browserBinding: "require" }), EMAIL);
      assert.equal(session.response.problem, "other_browser");
      assert.equal(await isSignedIn(session), false);
    });

    test("another address than the one that was typed", async () => {
      for (const options of [{}, { proves: "bob@example.com" }]) {
        const session = await kit.wrongAddress(site({ flow }), EMAIL, options);
        assert.deepEqual([session.response.status, session.response.problem], [400, "over"]);
        assert.equal(await isSignedIn(session), false);
      }
    });

    test("keys that are rotated meanwhile", async () => {
      const client = clientOf(broker);
      for (let round = 0; round < 2; round++) {
        assert.equal(await isSignedIn(await kit.rotatedKeys(site({ flow }, client), EMAIL)), "for alice@example.com");
      }
    });

    test("a broker that is down from the beginning", async () => {
      const app = site({ flow }, clientOf(broker)); // it has not fetched the documents
      const session = await kit.brokerDown(app, EMAIL);
      assert.deepEqual([session.response.status, session.response.problem], [503, "broker_unavailable"]);
      assert.equal(await isSignedIn(await kit.login(app, EMAIL)), "for alice@example.com");
    });
  });
}

test("a broker that is down when the person comes back", async () => {
  const client = clientOf(broker);
  await client.warm();
  const session = await kit.brokerDown(site({ flow: "code" }, client), EMAIL);
  assert.deepEqual([session.response.status, session.response.problem], [503, "broker_unavailable"]);
  await session.reload();
  assert.equal(await isSignedIn(session), "for alice@example.com");
  const implicit = await kit.brokerDown(site({ flow: "implicit" }, client), EMAIL);
  assert.equal(await isSignedIn(implicit), "for alice@example.com");
});

test("logins that are sealed, not stored", async () => {
  const sealed = () => site({}, clientOf(broker, { store: undefined, secret: "o9Xz-Q3kPw7_uJ2rT5yB8nV1cM4sD6fG" }));
  assert.equal(await isSignedIn(await kit.login(sealed(), EMAIL)), "for alice@example.com");
  assert.equal((await kit.expired(sealed(), EMAIL)).response.problem, "over");
  assert.equal((await kit.cancelled(sealed(), EMAIL)).response.problem, "cancelled");
  const replayed = await kit.replayed(sealed(), EMAIL);
  assert.equal(await isSignedIn(replayed), false);
  const other = await kit.otherBrowser(sealed(), EMAIL, { next: "/members" });
  assert.equal((await other.confirm()).text, "for alice@example.com");
});

test("a login that does not complete is no refused account", async () => {
  for (const mode of ["refuse", "expired"]) {
    const accounts = new DevBroker();
    accounts.setAccount(EMAIL, mode);
    await assert.rejects(kit.refused(site({}, clientOf(accounts)), EMAIL), /did not complete.*no account was refused/s);
    accounts.stop();
  }
});

test("a scenario needs a broker in this process", async (t) => {
  const stopped = new DevBroker();
  const app = site({}, clientOf(stopped));
  stopped.stop();
  await assert.rejects(kit.brokerDown(app, EMAIL, { broker: stopped.origin }), /does not run in this process/);
});
