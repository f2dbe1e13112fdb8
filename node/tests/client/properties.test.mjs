// Changes that must change the result, and changes that must not; the same tests in every language.
import assert from "node:assert/strict";
import { createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import fc from "fast-check";
import { InvalidEmail, PortierError, normalizeEmail, safeNext } from "portier-client";

import { mocked, load } from "./mocked.mjs";

// The same examples in every run, and as many others as requested.
const EXAMPLES = process.env.PORTIER_TEST_EXAMPLES;
fc.configureGlobal(EXAMPLES === undefined ? { seed: 1 } : { numRuns: Number(EXAMPLES) });

const { cases, ...shared } = load("tokens");
const [RS256, EDDSA] = ["rs256-2048", "eddsa"].map((id) => cases.find((vector) => vector.id === id).token);
const [HEADER, PAYLOAD] = EDDSA.split(".", 2).map((part) =>
  Object.entries(JSON.parse(Buffer.from(part, "base64url"))),
);
const KEY = createPrivateKey(readFileSync(new URL("../../../tests/keys/ed25519-a.pem", import.meta.url)));

const letter = fc.string({ minLength: 1, maxLength: 1, unit: "binary" });
const anyText = (maxLength) => fc.string({ unit: "binary", maxLength });
// Includes lone surrogates.
const oddText = (maxLength) => fc.string({ unit: fc.oneof(letter, fc.constantFrom("\ud800", "\udc00")), maxLength });
const shuffled = (list) => fc.shuffledSubarray(list, { minLength: list.length });
const field = fc.constantFrom("state", "error", "error_description");

/** A client at the time of the callback, with the login of the vectors pending. */
async function started() {
  const { client, clock } = mocked({
    broker: shared.broker,
    discovery: shared.discovery,
    keySet: shared.key_set,
    now: shared.session_started_at,
    nonces: [shared.nonce],
    redirectUri: shared.redirect_uri,
  });
  await client.authenticate(shared.login_email);
  clock.set(shared.now * 1000);
  return client;
}

/** The result of an operation, or its `PortierError`. */
async function outcome(operation) {
  try {
    return await operation();
  } catch (error) {
    assert.ok(error instanceof PortierError, String(error));
    return error;
  }
}

test("a token with any other character is refused", async () => {
  const client = await started();
  const token = fc.constantFrom(RS256, EDDSA);
  const refused = fc.asyncProperty(token, fc.nat(), letter, async (token, place, character) => {
    const at = place % token.length;
    fc.pre(token[at] !== character);
    const other = token.slice(0, at) + character + token.slice(at + 1);
    assert.ok((await outcome(() => client.verify(other))) instanceof PortierError);
    // None of the attempts used up the login.
    assert.equal(client.stats().pending, 1);
  });
  await fc.assert(refused);
});

test("the order of members and white space do not change the result", async () => {
  const expected = { email: "token_claim", iss: "token_issuer" };
  const space = fc.string({ unit: fc.constantFrom(..." \t\r\n"), maxLength: 3 });
  const changes = fc.record({
    header: shuffled(HEADER),
    payload: shuffled(PAYLOAD),
    spaces: fc.array(space, { minLength: 40, maxLength: 40 }),
    without: fc.constantFrom(undefined, "email", "iss"),
  });
  const same = fc.asyncProperty(changes, async ({ header, payload, spaces, without }) => {
    const kept = payload.filter(([name]) => name !== without);
    const token = signed(spelt(header, spaces), spelt(kept, spaces.toReversed()));
    const client = await started();
    const found = await outcome(() => client.verify(token));
    assert.equal(found.code ?? found, expected[without] ?? shared.login_email);
  });
  await fc.assert(same);
});

/** The object as JSON, with white space wherever it is allowed. */
function spelt(members, spaces) {
  const pairs = members.flatMap(([name, value]) => [JSON.stringify(name), ":", JSON.stringify(value), ","]);
  const pieces = ["{", ...pairs.slice(0, -1), "}", ""];
  return pieces.map((piece, index) => spaces[index] + piece).join("");
}

function signed(header, payload) {
  const message = [header, payload].map((part) => Buffer.from(part).toString("base64url")).join(".");
  return `${message}.${sign(null, Buffer.from(message), KEY).toString("base64url")}`;
}

test("the order of parameters does not change the result", async () => {
  const strangers = [["code", "x"], ["ID_TOKEN", "x"], ["", ""]];
  const pairs = fc.uniqueArray(fc.tuple(field, anyText(20)), { selector: ([name]) => name });
  const forms = pairs.chain((pairs) => shuffled([...pairs, ["id_token", EDDSA], ...strangers]));
  const follows = fc.asyncProperty(forms, async (form) => {
    const client = await started();
    const said = Object.fromEntries(form);
    const found = await outcome(() => client.complete(said));
    if (said.error) {
      assert.equal(found.code, "broker_error");
      assert.equal(found.error, said.error);
      assert.equal(found.errorDescription ?? "", said.error_description ?? "");
      assert.equal(client.stats().pending, 1);
    } else {
      assert.deepEqual([found.email, found.state ?? ""], [shared.login_email, said.state ?? ""]);
    }
  });
  await fc.assert(follows);
});

test("a repeated parameter is refused", async () => {
  const client = await started();
  const names = fc.oneof(field, fc.constant("id_token"));
  const refused = fc.asyncProperty(names, anyText(20), anyText(20), async (name, first, second) => {
    const error = await outcome(() => client.complete({ id_token: EDDSA, [name]: [first, second] }));
    assert.equal(error.code, "token_malformed");
    assert.ok(error.message.endsWith(`name=${name}`), error.message);
    assert.equal(client.stats().pending, 1);
  });
  await fc.assert(refused);
});

test("normalization is idempotent", () => {
  const typed = fc.tuple(oddText(12), oddText(12)).map((parts) => parts.join("@"));
  const stays = fc.property(typed, (text) => {
    let once;
    try {
      once = normalizeEmail(text);
    } catch (error) {
      return assert.ok(error instanceof InvalidEmail);
    }
    assert.equal(normalizeEmail(once), once);
    assert.match(once.slice(once.lastIndexOf("@")), /^[!-~]+$/);
  });
  fc.assert(stays);
});

test("an accepted next page is on this site", () => {
  const pieces = fc.constantFrom(..."/\\.?#@:a", "%2f", "%2e", "%5c", "%09", "//evil.example");
  const paths = fc.array(fc.oneof(pieces, oddText(1)), { maxLength: 12 }).map((all) => `/${all.join("")}`);
  const stays = fc.property(paths, (text) => {
    const page = safeNext(text);
    if (page === null) return;
    assert.match(page, /^\/(?![/\\])[!-~]*$/);
    assert.equal(new URL(page, "https://example.com/verify").origin, "https://example.com");
    assert.equal(safeNext(page), page);
  });
  fc.assert(stays);
});
