// The development broker: its time, its modes and its inbox.
import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { BrokerError, BrokerUnavailable, ConfigError, InvalidSession, PortierClient, TokenExpired } from "portier-client";
import { DevBroker, ManualClock } from "portier-client/testing";

const redirectUri = "http://localhost:8888/verify";
const EMAIL = "alice@example.com";
const MINUTE = 60_000;

const broker = new DevBroker();
const client = new PortierClient({ redirectUri, broker: broker.origin });

afterEach(() => broker.reset());
after(() => broker.stop());

test("a login expires when the time is advanced", async () => {
  const url = await client.authenticate(EMAIL);
  broker.advanceTime(31 * MINUTE);
  await assert.rejects(client.complete(broker.signIn(url)), { code: "session_unknown" });
  await client.complete(broker.signIn(await client.authenticate(EMAIL)));
});

test("the time can be frozen", async () => {
  for (const at of [1e12, new Date("2001-09-09T01:46:40Z")]) {
    broker.freezeTime(at);
    const { issuedAt } = await client.complete(broker.signIn(await client.authenticate(EMAIL)));
    assert.equal(Number(issuedAt), 1e12);
    broker.advanceTime(500);
    assert.equal(broker.now, 1e12 + 500);
    broker.resumeTime();
    assert.ok(broker.now > 1.7e12);
  }
});

test("a wrong time is refused", () => {
  for (const at of [-1, NaN, Infinity, 1e300]) {
    assert.throws(() => broker.freezeTime(at), ConfigError);
    assert.throws(() => broker.advanceTime(at), ConfigError);
  }
  assert.ok(broker.now > 1.7e12);
});

test("a URL that is not in an object is refused", (t) => {
  const broker = new DevBroker();
  t.after(() => broker.stop());
  for (const given of ["https://broker.example/auth?nonce=1", null]) {
    assert.throws(() => broker.mint(given), { code: "invalid_option", message: /\{ url \}/ });
  }
});

test("a broker with its own clock moves no time", () => {
  const own = new DevBroker({ clock: new ManualClock(1000) });
  assert.throws(() => own.freezeTime(), /a clock of its own/);
  assert.throws(() => own.advanceTime(1), ConfigError);
  assert.equal(own.now, 1000);
  own.stop();
});

for (const flow of ["code", "implicit"]) {
  test(`a sign-in fails as it is told flow=${flow}`, async () => {
    const client = new PortierClient({ redirectUri, broker: broker.origin, flow });
    for (const [options, error] of [
      [{ mode: "refuse" }, BrokerError],
      [{ mode: "error:server_error" }, BrokerError],
      [{ mode: "expired" }, TokenExpired],
      [{ mode: "as:mallory@example.com" }, InvalidSession],
      [{ email: "eve@example.com" }, InvalidSession],
    ]) {
      const fields = broker.signIn(await client.authenticate(EMAIL), options);
      await assert.rejects(client.complete(fields), error);
    }
    await client.complete(broker.signIn(await client.authenticate(EMAIL)));
  });
}

test("accounts and the next logins have modes", async () => {
  broker.setAccount("*@blocked.example", "refuse");
  broker.nextLogins("accept", "error:server_error");
  for (const [email, found] of [
    ["eve@blocked.example", "id_token"],
    [EMAIL, "server_error"],
    ["eve@blocked.example", "access_denied"],
    [EMAIL, "Continue"],
  ]) {
    assert.ok((await page(await client.authenticate(email))).includes(found));
  }
  for (const wrong of ["sleep", "error:", "as:nobody"]) {
    assert.throws(() => broker.setMode(wrong), ConfigError);
    assert.throws(() => broker.nextLogins(wrong), ConfigError);
    assert.throws(() => broker.setAccount(EMAIL, wrong), ConfigError);
  }
  assert.throws(() => broker.setAccount("nobody", "accept"), ConfigError);
});

test("the inbox has the mails", async () => {
  broker.setMode("mail");
  assert.match(await page(await client.authenticate(EMAIL)), /Check your mail/);
  const [mail, ...others] = broker.inbox();
  assert.deepEqual([mail.to, mail.site, others], [EMAIL, "http://localhost:8888", []]);
  assert.match(mail.code, /^\w{6} \w{6}$/);
  assert.ok(Math.abs(mail.sentAt - broker.now) < MINUTE);
  assert.match(await page(mail.link), /Continue/);
  broker.clearInbox();
  assert.deepEqual(broker.inbox(), []);
});

test("a broker can be unreachable", async () => {
  broker.setReachable(false);
  const other = new PortierClient({ redirectUri, broker: broker.origin });
  await assert.rejects(other.warm(), BrokerUnavailable);
  broker.setReachable(true);
  await new PortierClient({ redirectUri, broker: broker.origin }).warm();
});

async function page(url) {
  return (await fetch(url)).text();
}

test("a broker runs until it is stopped", async () => {
  const made = () => new PortierClient({ redirectUri, broker: new DevBroker().origin });
  const client = made();
  // The finalizer of the addon runs in another turn of the event loop.
  for (let round = 0; round < 3; round++) await setImmediate(collectGarbage());
  await client.authenticate(EMAIL);
});

function collectGarbage() {
  if (globalThis.Deno !== undefined) return;
  if (globalThis.Bun !== undefined) return globalThis.Bun.gc(true);
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}
