// Pending logins that are in no store: clients and flows with a secret.
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { BrowserMismatch, PortierClient } from "portier-client";
import { DevBroker } from "portier-client/testing";

import { load, mocked } from "./mocked.mjs";

const vectors = load("sealed_logins");
const { cases, secrets } = vectors;
const [NEW, OLD] = secrets;
const REDIRECT_URI = "https://example.com/verify";
const HERE = "the secret of a browser";
const TOKEN_ENDPOINT = vectors.token_endpoint;

const broker = new DevBroker();
after(() => broker.stop());

/** The client of a case. */
function given({ flow, token }, { now = vectors.now, nonces } = {}) {
  const made = mocked({
    broker: vectors.broker,
    discovery: vectors.discovery,
    keySet: vectors.key_set,
    redirectUri: vectors.redirect_uri,
    now,
    nonces,
    options: { flow, secret: secrets, sessionTtlMs: vectors.session_ttl * 1000 },
  });
  const headers = [["content-type", "application/json"]];
  made.transport.respond(TOKEN_ENDPOINT, JSON.stringify({ id_token: token }), { headers });
  return made;
}

async function outcome(client, { params, browser }) {
  try {
    const { email, emailOriginal, session, state, sameBrowser } = await client.complete(params, { browser });
    return { email, email_original: emailOriginal, session, state, same_browser: sameBrowser };
  } catch (error) {
    const { code, email } = error;
    return error instanceof BrowserMismatch ? { code, email } : { code };
  }
}

describe("sealed logins are opened as the vectors say", () => {
  for (const one of cases) {
    test(one.id, async () => {
      const { client, transport } = given(one);
      assert.deepEqual(await outcome(client, one), one.expect);
      assert.equal(transport.requests(TOKEN_ENDPOINT), one.token === null ? 0 : 1);
    });
  }
});

test("logins are sealed as in every other language", async () => {
  const [one] = cases;
  const { client } = given(one, { now: vectors.now - 30, nonces: ["A".repeat(16)] });
  const url = await client.authenticate("alice@example.com", { session: "/members", browser: one.browser });
  assert.equal(new URL(url).searchParams.get("state"), one.params.state);
});

describe("another client with the secret completes a login", () => {
  for (const [about, secret] of [
    ["a string", NEW],
    ["bytes", Buffer.from(NEW)],
    ["several", [Buffer.from(NEW), OLD]],
    ["the one before", [OLD]],
  ]) {
    test(about, async () => {
      const client = (given) =>
        new PortierClient({ redirectUri: REDIRECT_URI, broker: broker.origin, flow: "code", secret: given });
      const [here, there] = [client(secret), client(secrets)];
      const url = await here.authenticate("alice@example.com", { session: "/members", browser: HERE });
      const login = await there.complete(broker.signIn(url), { browser: HERE });
      assert.deepEqual([login.email, login.session, login.sameBrowser], ["alice@example.com", "/members", true]);
      assert.equal(here.stats().pending ?? null, null);
    });
  }
});

test("a client whose redirect URI changes opens the logins of the new one", async () => {
  const client = new PortierClient({ redirectUri: REDIRECT_URI, flow: "code", secret: NEW });
  client.redirectUri = "https://example.com/other";
  const params = { code: "a code", state: cases[0].params.state };
  await assert.rejects(client.complete(params), { code: "session_sealed" });
});

test("secrets that can be guessed are refused", () => {
  for (const secret of ["too short", Buffer.alloc(31), [], "a".repeat(40), [NEW, "short"], 7, [null]]) {
    assert.throws(() => new PortierClient({ redirectUri: REDIRECT_URI, secret }), { code: "invalid_option" });
  }
});

test("an unbound login of the implicit flow needs a store as well", async () => {
  const client = new PortierClient({ redirectUri: REDIRECT_URI, broker: broker.origin, secret: NEW });
  await assert.rejects(client.authenticate("alice@example.com"), { code: "invalid_option" });
});
