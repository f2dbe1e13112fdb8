// Logins that are bound to the browser that started them.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { inspect } from "node:util";

import { BrowserMismatch, ConfigError, InvalidSession, PortierClient, SessionUsed } from "portier-client";
import { DevBroker } from "portier-client/testing";

const HERE = "the secret of a browser";
const THERE = "the secret of another";

const broker = new DevBroker();
after(() => broker.stop());
const client = new PortierClient({
  redirectUri: "https://example.com/verify",
  broker: broker.origin,
});

// Starts a login in a browser; returns the form of its callback.
const token = async (browser) => ({
  id_token: broker.mint({ url: await client.authenticate("Alice@example.com", { browser }) }),
});

// The error of a browser that did not start the login.
async function mismatch(form, options) {
  const error = await client.complete(form, options).catch((error) => error);
  assert.ok(error instanceof BrowserMismatch && error instanceof InvalidSession);
  return error;
}

test("a bound login completes in its own browser", async () => {
  assert.ok((await client.complete(await token(HERE), { browser: HERE })).sameBrowser);
});

test("an unbound login is refused in a browser", async () => {
  const form = await token();
  await mismatch(form, { browser: HERE });
  assert.ok(!(await client.complete(form)).sameBrowser);
});

test("another browser leaves the login pending", async () => {
  const form = await token(HERE);
  for (const browser of [THERE, null, undefined]) {
    const error = await mismatch(form, { browser });
    assert.deepEqual([error.code, error.email], ["session_browser", "alice@example.com"]);
    assert.equal(error.confirmation === null, browser !== THERE);
  }
  await assert.rejects(client.verify(form.id_token), BrowserMismatch);
  assert.ok((await client.complete(form, { browser: HERE })).sameBrowser);
});

test("a confirmed login completes in another browser", async () => {
  const form = await token(HERE);
  const { confirmation } = await mismatch(form, { browser: THERE });
  await mismatch(form, { browser: "a third browser", confirmation });
  await mismatch(form, { confirmation });
  const login = await client.complete(form, { browser: THERE, confirmation });
  assert.deepEqual([login.email, login.sameBrowser], ["alice@example.com", false]);
});

test("a used login is refused in every browser", async () => {
  const form = await token(HERE);
  await client.complete(form, { browser: HERE });
  for (const [browser, same] of [[HERE, true], [THERE, false], [undefined, false]]) {
    await assert.rejects(client.complete(form, { browser }), (error) => {
      assert.ok(error instanceof SessionUsed);
      assert.equal(error.sameBrowser, same);
      return true;
    });
  }
});

test("a browser mismatch shows no secret", async () => {
  const error = await mismatch(await token(HERE), { browser: THERE });
  for (const shown of [String(error), inspect(error, { depth: 9, showHidden: true }), JSON.stringify(error)]) {
    assert.ok(!shown.includes("alice") && !shown.includes(error.confirmation), shown);
  }
});

test("a confirmation of another type is an invalid option", async () => {
  for (const confirmation of [1, {}, "\udc00"]) {
    await assert.rejects(client.complete({ id_token: "x" }, { browser: HERE, confirmation }), ConfigError);
  }
});
