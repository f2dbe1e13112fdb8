// The session cookie by itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import PortierClient, { ConfigError, InvalidEmail, SessionCookie } from "portier-client";
import { MockTransport, mockClient, ManualClock } from "portier-client/testing";

import { load } from "../client/mocked.mjs";

const { cases, secrets, now, redirect_uri: REDIRECT_URI, max_age: maxAge, absolute_max_age: absoluteMaxAge } = load("sealed_sessions");
const [, SECRET] = secrets;
const HOUR = 60 * 60;
const DAY = 24 * HOUR;

function make(options = {}, { clock = new ManualClock(now * 1000), redirectUri = REDIRECT_URI, ...others } = {}) {
  const client = mockClient({ redirectUri, clock, transport: new MockTransport(), ...others });
  return { clock, client, cookie: new SessionCookie(client, { secret: SECRET, ...options }) };
}

const sentBack = (setCookie) => setCookie.split(";")[0];

for (const { id, cookie: header, expect } of cases) {
  test(`a cookie is read as the vectors say: ${id}`, () => {
    const { cookie } = make({ secret: secrets, maxAge, absoluteMaxAge });
    const session = cookie.read(header);
    const { email, signedInAt: signed_in_at, expiresAt: expires_at } = session ?? {};
    const found = session && { email, id: session.id, signed_in_at, expires_at, renews: cookie.renew(session) !== null };
    assert.deepEqual(found, expect.session);
  });
}

test("a session is sealed as in every other language", () => {
  const { cookie: expected, expect } = cases.find(({ id }) => id === "genuine");
  const sealed = Buffer.from(expected.split("=")[1], "base64url");
  const random = [Buffer.from(expect.session.id, "base64url"), sealed.subarray(5, 17)];
  const { cookie } = make({ secret: secrets }, { random });
  const [session, setCookie] = cookie.start("Alice@Example.com");
  assert.equal(sentBack(setCookie), expected);
  assert.deepEqual([session.email, session.id], [expect.session.email, expect.session.id]);
});

test("a session is read from its cookie", () => {
  const { cookie } = make();
  const [session, setCookie] = cookie.start("alice@example.com");
  assert.match(setCookie, /; Max-Age=1209600; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  const read = cookie.read(`a=1; ${sentBack(setCookie)}`);
  assert.deepEqual({ ...read }, { ...session });
  assert.deepEqual([read.signedInAt, read.expiresAt, read.renewal], [now, now + 14 * DAY, null]);
  assert.notEqual(cookie.start("alice@example.com")[0].id, session.id);
  for (const nothing of [undefined, null, "", "a=1", 1]) assert.equal(cookie.read(nothing), null);
  assert.match(cookie.clear(), /^__Host-portier-session=; Max-Age=0;/);
});

test("a session is renewed in the second half of its time", () => {
  const { clock, cookie } = make({ maxAge: 2 * HOUR, absoluteMaxAge: 3 * HOUR });
  const [session, setCookie] = cookie.start("alice@example.com");
  clock.advance(HOUR * 1000 - 1000);
  assert.equal(cookie.renew(session), null);
  clock.advance(1000);
  const renewal = cookie.renew(cookie.read(sentBack(setCookie)));
  assert.equal(renewal.split("=")[0], "__Host-portier-session");
  assert.notEqual(cookie.renew(session), null, "a session that was begun here as well");
  clock.advance(1.5 * HOUR * 1000);
  assert.equal(cookie.read(sentBack(setCookie)), null);
  const renewed = cookie.read(sentBack(renewal));
  assert.deepEqual([renewed.id, renewed.signedInAt, renewed.expiresAt], [session.id, now, now + 3 * HOUR]);
});

test("secrets are replaced one after the other", () => {
  const [first, second] = [Buffer.from(secrets[0]), new TextEncoder().encode(secrets[1])];
  const before = make({ secret: second }).cookie.start("alice@example.com")[1];
  assert.equal(make({ secret: [first, second] }).cookie.read(sentBack(before)).email, "alice@example.com");
  assert.equal(make({ secret: [first] }).cookie.read(sentBack(before)), null);
});

const MISTAKES = {
  "no options": undefined,
  "no secret": {},
  "a secret that is undefined": { secret: undefined },
  "no secret in a list": { secret: [] },
  "a short secret": { secret: "k8#hT!x2" },
  "a short secret after a good one": { secret: [SECRET, "k8#hT!x2"] },
  "a placeholder": { secret: "changeme".repeat(8) },
  "one character many times": { secret: "x".repeat(64) },
  "half of a character": { secret: `${SECRET}\ud800` },
  "a number": { secret: 12345678901234567890n },
  "a short age": { secret: SECRET, maxAge: 59 },
  "ages in the wrong order": { secret: SECRET, maxAge: DAY, absoluteMaxAge: HOUR },
  "an age beyond 400 days": { secret: SECRET, absoluteMaxAge: 401 * DAY },
  "an age that is no number": { secret: SECRET, maxAge: "14 days" },
  "an age that is not finite": { secret: SECRET, maxAge: NaN },
  "an age below zero": { secret: SECRET, maxAge: -1 },
  "a name that is misspelt": { secret: SECRET, maxage: DAY },
};
for (const [what, options] of Object.entries(MISTAKES)) {
  test(`unsafe options of a session cookie are refused: ${what}`, () => {
    const { client } = make();
    assert.throws(() => new SessionCookie(client, options), (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.equal(error.code, "invalid_option");
      for (const secret of [SECRET, "k8#hT!x2", "changeme", "xxx"]) assert.ok(!inspect(error).includes(secret));
      return true;
    });
  });
}

test("a session cookie needs a client", () => {
  assert.throws(() => new SessionCookie({}, { secret: SECRET }), ConfigError);
});

test("a session needs an address", () => {
  for (const typed of ["nobody", "", undefined, "\ud800a@example.com"]) {
    assert.throws(() => make().cookie.start(typed), InvalidEmail);
  }
});

test("a session of another cookie is not renewed", () => {
  const { cookie } = make();
  for (const session of [{}, null, undefined, { ...cookie.start("alice@example.com")[0] }]) {
    assert.throws(() => cookie.renew(session), ConfigError);
  }
});

test("a session cookie follows the settings of its client, and ends with it", () => {
  const client = new PortierClient({ redirectUri: "https://one.example/verify" });
  const cookie = new SessionCookie(client, { secret: SECRET });
  const [, setCookie] = cookie.start("alice@example.com");
  client.redirectUri = "https://two.example/verify";
  assert.equal(cookie.read(sentBack(setCookie)), null, "the cookie of another site");
  client.redirectUri = "https://one.example/elsewhere";
  assert.equal(cookie.read(sentBack(setCookie)).email, "alice@example.com");
  client.destroy();
  assert.throws(() => cookie.read(sentBack(setCookie)), /^Error: the client was destroyed$/);
});

test("a printed session shows no secret and no address", () => {
  const { cookie } = make();
  const [session] = cookie.start("alice@example.com");
  assert.equal(inspect([session, cookie]), `[\n  Session { signedInAt: ${now}, expiresAt: ${now + 14 * DAY} },\n  SessionCookie {}\n]`);
});
