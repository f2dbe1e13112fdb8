// The vectors of the web flow, through the flow itself. `tests/vectors/web.md` describes them.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, describe, test } from "node:test";

import { LoginFlow, LoginRefused, PortierError } from "portier-client";
import { MockTransport, mockClient, DevBroker, ManualClock } from "portier-client/testing";

import { load } from "../client/mocked.mjs";
import { decoded, formsOf } from "./visitor.mjs";

const FILES = [load("web"), load("web_codes"), load("web_sessions")];
// They are equal in these files.
const [{ cookies: COOKIES, from: FROM, headers: HEADERS, now, tokens: TOKENS }] = FILES;
const FORM = "application/x-www-form-urlencoded";
const LEFT_OUT = { shows: "problem" };

const clock = new ManualClock(now * 1000);
const broker = new DevBroker({ clock });
const documents = await Promise.all(
  ["/.well-known/openid-configuration", "/keys.json"].map(async (path) => {
    const url = broker.origin + path;
    return [url, await (await fetch(url, { headers: { connection: "close" } })).text()];
  }),
);
const TOKEN_ENDPOINT = `${broker.origin}/token`;
after(() => broker.stop());

describe("web", () => {
  for (const { cases, options } of FILES) {
    for (const vector of cases) test(vector.id, { timeout: 60_000 }, () => replay(vector, options));
  }
});

async function replay({ options = {}, steps, expect }, setting) {
  clock.set(now * 1000);
  const make = () => new Site({ ...setting, ...options }, steps.some(({ store }) => store !== undefined));
  if (expect !== undefined) {
    return assert.throws(make, (error) => error instanceof PortierError && error.code === expect.code);
  }
  const site = make();
  for (const [place, step] of steps.entries()) {
    try {
      await site.take(step);
    } catch (error) {
      if (error instanceof assert.AssertionError) error.message = `step ${place}: ${error.message}`;
      throw error;
    }
  }
}

/** A site, and the browsers of its visitors. */
class Site {
  #browsers = new Map();
  #logins = new Map();
  #minted = new Map();
  #transport = new MockTransport();
  #codes = new Codes(this.#transport);
  #isStoreDown = false;

  constructor({ redirect_uri: redirectUri, response_mode: responseMode, session_ttl: seconds, broker: kind, ...options }, hasStore) {
    const settings = { redirectUri, responseMode, broker: broker.origin };
    if (seconds !== undefined) settings.sessionTtlMs = seconds * 1000;
    if (hasStore) settings.store = this.#store();
    for (const [url, text] of kind === "down" ? [] : documents) this.#transport.respond(url, text);
    this.client = mockClient({ ...settings, clock, transport: this.#transport });
    const named = Object.entries({ flow: "implicit", ...options }).map(([name, value]) => [
      name.replaceAll(/_[a-z]/g, (letters) => letters[1].toUpperCase()),
      value,
    ]);
    this.flow = new LoginFlow(this.client, Object.fromEntries(named));
  }

  async take(step) {
    const browser = this.#browser(step.browser ?? "desk");
    if (step.advance !== undefined) clock.advance(step.advance * 1000);
    if (step.do === "ask") return this.#ask(step);
    if (step.do === "authenticate") {
      const { session } = step;
      const url = await this.client.authenticate("alice@example.com", session === undefined ? {} : { session });
      return this.#begin(url, step.as);
    }
    for (const [name, value] of Object.entries(step.cookies ?? {})) {
      if (value === null) browser.cookies.delete(name);
      else browser.cookies.set(name, this.#filled(value, browser));
    }
    for (const [name, end] of browser.ends) if (end <= clock.now) browser.cookies.delete(name);
    const before = new Map(browser.cookies);
    // Expectations also refer to the time before the request.
    const expect = this.#filled(step.expect, browser, true);
    this.#isStoreDown = step.store === "down";
    const request = this.#request(step, browser);
    this.#codes.expect(request, this.#filled(step.token_endpoint, browser));
    if (step.do === "session") return this.#session(request, step, browser);
    if (expect.fails) return assert.rejects(async () => this.#send(request, step), { name: "ConfigError", code: expect.fails });
    const answer = answerOf(await this.#send(request, step), step);
    this.#isStoreDown = false;
    assert.equal(this.#codes.requests(), expect.token_requests ?? 0, "token requests");
    if (step.keeps !== false) answer.cookies.forEach((cookie) => keep(cookie, browser));
    // After a redirect, the browser can go back.
    if (answer.fields.length > 0) browser.page = answer;
    if (expect.to_broker !== undefined) this.#begin(answer.headers.location ?? answer.json?.url, step.as);
    check(answer, this.#filled(expect, browser), broker.origin);
    this.#checkSecret(expect.secret, before, browser.cookies);
  }

  #request(step, browser) {
    const { method = "POST", query = "" } = step;
    const headers = this.#headers(step, browser, method);
    return { method, headers, query: this.#filled(query, browser), ...this.#body(step, browser, method) };
  }

  #send(request, { do: act, email, next, page, form_token_checked: formTokenChecked }) {
    const { method, headers, query } = request;
    switch (act) {
      case "start":
        return this.flow.start({ method, headers }, email, next);
      case "login":
        return this.flow.login(request, { formTokenChecked });
      case "require_login":
        return this.flow.requireLogin({ method, headers }, page);
      case "health":
        return this.flow.health({ method, headers });
      case "logout":
        return this.flow.logout({ method, headers }, { formTokenChecked });
      default:
        assert.ok(this.flow.isCallback(`${this.flow.callbackPath}?${query}`));
        return this.flow.callback(request);
    }
  }

  /** Asks for the session of a request, and keeps the cookie that renews it. */
  async #session({ headers }, { expect, keeps }, browser) {
    const session = await this.flow.session({ headers });
    assert.deepEqual(session && { email: session.email }, expect.session);
    assert.equal((session?.renewal ?? null) !== null, expect.sets !== undefined, "renewal");
    if (session?.renewal && keeps !== false) keep(cookieOf(session.renewal), browser);
  }

  #headers(step, browser, method) {
    const { headers, lax_cookies: hasCookies } = FROM[step.from ?? (step.do === "callback" ? "broker" : "site")];
    const cookies = [...browser.cookies].map((pair) => pair.join("="));
    const all = {
      ...(method === "POST" && step.do !== "start" && { "content-type": FORM }),
      ...(hasCookies && cookies.length > 0 && { cookie: cookies.join("; ") }),
      ...headers,
      ...step.headers,
    };
    return Object.fromEntries(Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [[name, this.#filled(value, browser)]])));
  }

  #body(step, browser, method) {
    if (method !== "POST") return {};
    if (step.given === "too_large" || step.given === "unreadable") return { unread: step.given };
    if (step.body !== undefined) return { body: Buffer.from(this.#filled(step.body, browser), "latin1") };
    const pairs = step.do === "resend" ? browser.page.fields : this.#filled(step.form ?? [], browser);
    if (step.given !== "fields") return { body: new TextEncoder().encode(new URLSearchParams(pairs)) };
    const body = new FormData();
    for (const [name, value] of pairs) body.append(name, value ?? new File(["x"], "file.txt"));
    return { body };
  }

  #ask({ name, of, expect }) {
    const { flow } = this;
    const { callbackPath, formPolicy, formTargets, isSecure } = flow;
    const answers = { callback_path: callbackPath, form_policy: formPolicy, form_targets: formTargets, is_secure: isSecure };
    const asked = { is_callback: () => flow.isCallback(of), safe_next: () => flow.safeNext(of) };
    assert.deepEqual(name in answers ? answers[name] : asked[name](), this.#filled(expect.answer));
  }

  #checkSecret(expected, before, after) {
    const name = this.flow.isSecure ? Object.keys(COOKIES)[0] : Object.keys(COOKIES)[0].replace("__Host-", "");
    if (expected === "kept") assert.equal(after.get(name), before.get(name), "the secret is kept");
    if (expected === "new") assert.notEqual(after.get(name), before.get(name), "the secret is a new one");
    if (expected !== undefined) assert.ok(after.has(name));
  }

  #begin(url, name) {
    assert.ok(url, "a login was started");
    this.#logins.set("", { url });
    if (name !== undefined) this.#logins.set(name, this.#logins.get(""));
  }

  #browser(name) {
    if (!this.#browsers.has(name)) this.#browsers.set(name, { cookies: new Map(), ends: new Map(), page: undefined });
    return this.#browsers.get(name);
  }

  /** Replaces placeholders; those of tokens only after their login was started. */
  #filled(value, browser, isEarly = false) {
    if (Array.isArray(value)) return value.map((one) => this.#filled(one, browser, isEarly));
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.#filled(one, browser, isEarly)]));
    }
    if (typeof value !== "string") return value;
    return value.replaceAll(/\{(token|code|state|cookie|field|repeat|site|broker)(?::([^{}]*))?\}/g, (whole, kind, of = "") => {
      const parts = of.split(":");
      switch (kind) {
        case "site":
          return this.client.clientId;
        case "broker":
          return broker.origin;
        case "repeat":
          return parts.slice(0, -1).join(":").repeat(Number(parts.at(-1)));
        case "cookie":
          return this.#named(parts, browser).cookies.get(parts.at(-1)) ?? assert.fail(`no cookie ${whole}`);
        case "field":
          return new Map(this.#named(parts, browser).page.fields).get(parts.at(-1)) ?? assert.fail(`no field ${whole}`);
        case "state":
          return isEarly ? whole : new URL(this.#login(of).url).searchParams.get("state");
        case "code":
          return isEarly ? whole : this.#codes.code(this.#token(parts[0] || "genuine", parts[1] ?? ""));
        default:
          return isEarly ? whole : this.#token(parts[0] || "genuine", parts[1] ?? "");
      }
    });
  }

  #named(parts, browser) {
    return parts.length > 1 ? this.#browser(parts[0]) : browser;
  }

  #login(name) {
    return this.#logins.get(name) ?? assert.fail(`no login ${name}`);
  }

  #token(kind, name) {
    const login = this.#login(name);
    if (!this.#minted.has(login)) this.#minted.set(login, new Map());
    const minted = this.#minted.get(login);
    if (!minted.has(kind)) {
      const { times = {}, claims, ...others } = TOKENS[kind];
      const since = Object.entries(times).map(([claim, seconds]) => [claim, Math.floor(clock.now / 1000) + seconds]);
      const token = { url: login.url, claims: { ...claims, ...Object.fromEntries(since) }, ...others };
      minted.set(kind, broker.mint(token));
    }
    return minted.get(kind);
  }

  #store() {
    const records = new Map();
    const open = () => {
      if (this.#isStoreDown) throw new Error("the store is down");
      return records;
    };
    return {
      put: (nonce, record) => void open().set(nonce, record),
      take(nonce) {
        const record = open().get(nonce);
        records.set(nonce, "");
        return record;
      },
      contains: (nonce) => Boolean(open().get(nonce)),
    };
  }
}

/** The broker's half of the code flow: codes, and what they are redeemed for. */
class Codes {
  #transport;
  #issued = new Map();
  #redeemed = new Set();
  #current;
  #before = 0;

  constructor(transport) {
    this.#transport = transport;
  }

  code(token) {
    if (!this.#issued.has(token)) this.#issued.set(token, `${this.#issued.size + 1}.code`);
    return this.#issued.get(token);
  }

  /** Prepares the answer to the token request that a request leads to. */
  expect({ body, query }, given) {
    const text = `${query}&${body instanceof Uint8Array ? Buffer.from(body) : ""}`;
    const [token, code] = [...this.#issued].find(([, code]) => text.includes(`=${code}`)) ?? [];
    const isValid = code !== undefined && !this.#redeemed.has(code);
    const [status, answer] = given ?? (isValid ? [200, { id_token: token }] : [400, { error: "invalid_grant" }]);
    this.#current = isValid && given === undefined ? code : undefined;
    const headers = [["content-type", "application/json"]];
    this.#transport.respond(TOKEN_ENDPOINT, JSON.stringify(answer), { status, headers });
    this.#before = this.#transport.requests(TOKEN_ENDPOINT);
  }

  /** The number of token requests since then. */
  requests() {
    const requests = this.#transport.requests(TOKEN_ENDPOINT) - this.#before;
    if (requests > 0 && this.#current !== undefined) this.#redeemed.add(this.#current);
    return requests;
  }
}

/** A cookie that was set. */
function cookieOf(line) {
  const [, name, value, flags] = /^([^=]+)=([^;]*); (.*)$/.exec(line);
  return { name, value, flags };
}

/** Keeps a cookie like a browser, which removes one that expires at once. */
function keep({ name, value, flags }, { cookies, ends }) {
  const seconds = Number(/Max-Age=(\d+)/.exec(flags)[1]);
  if (seconds === 0) cookies.delete(name);
  else cookies.set(name, value);
  ends.set(name, clock.now + 1000 * seconds);
}

/** The answer that a browser gets from a site whose hook behaves as the case says. */
function answerOf(taken, { hook }) {
  const step = hook?.refuses === undefined ? taken : taken.refuse(new LoginRefused(undefined, { code: hook.refuses }));
  const { error, problem, reply } = step;
  const lines = [...reply.cookies, ...step.loginCookies];
  const sent = { status: reply.status, headers: Object.fromEntries(reply.headers), body: reply.body, lines };
  if (hook === "throws") Object.assign(sent, { status: 500, headers: {}, body: "", lines: [] });
  else if (Array.isArray(hook)) Object.assign(sent, { status: hook[0], headers: {}, body: hook[1], lines: hook[0] < 400 ? lines : [] });
  const cookies = sent.lines.map(cookieOf);
  const json = /json/.test(sent.headers["content-type"]) ? JSON.parse(sent.body) : undefined;
  const fields = json?.fields === undefined ? (formsOf(sent.body)[0]?.pairs ?? []) : Object.entries(json.fields);
  return { ...sent, cookies, json, fields, error, login: taken.login, problem, policy: reply.policy, hasHook: hook !== undefined && step === taken };
}

/** Anything that is not expected is an error. */
function check(answer, expect, origin) {
  const { body, headers, json } = answer;
  assert.equal(answer.status, expect.status, `status, with error ${answer.error?.code}`);
  assert.deepEqual(answer.error === null, expect.error === undefined, `error ${answer.error?.code}`);
  if (expect.error) assert.equal(answer.error.code, expect.error);
  if (expect.typed) {
    const { typedEmail, next } = answer.problem;
    assert.deepEqual({ typed_email: typedEmail, next }, expect.typed);
  }
  assert.equal(answer.login !== null, expect.login !== undefined, "login");
  for (const [name, value] of Object.entries(expect.login ?? {})) {
    assert.equal(answer.login[name.replace("_b", "B")], value, name);
  }
  if (expect.to_broker !== undefined) {
    const url = new URL(headers.location ?? json.url);
    assert.equal(url.origin + url.pathname, `${origin}/auth`);
    for (const [name, value] of Object.entries(expect.to_broker)) assert.equal(url.searchParams.get(name), value, name);
  } else {
    assert.equal(headers.location ?? null, expect.location ?? null);
  }
  for (const text of expect.lacks_location ?? []) assert.ok(!headers.location.includes(text), text);
  checkHeaders(answer, expect);
  const names = (ended) => answer.cookies.filter(({ value }) => (value === "") === ended).map(({ name }) => name);
  assert.deepEqual(names(false).toSorted(), (expect.sets ?? []).toSorted());
  assert.deepEqual(names(true).toSorted(), (expect.clears ?? []).toSorted());
  for (const { name, value, flags } of answer.cookies) {
    const expected = value === "" ? COOKIES[name].replace(/Max-Age=\d+/, "Max-Age=0") : COOKIES[name];
    assert.deepEqual(flagsOf(flags), flagsOf(expected));
  }
  checkPage(answer, { ...(expect.problem !== undefined && json === undefined && LEFT_OUT), ...expect });
  const text = decoded(body);
  for (const words of expect.says ?? []) assert.ok(text.includes(words), `says ${words}`);
  for (const words of expect.lacks ?? []) assert.ok(!body.includes(words), `lacks ${words}`);
  if (expect.hx_redirect) assert.equal(headers["hx-redirect"], json.url);
  if (expect.json !== undefined && expect.problem !== undefined) {
    assert.equal(json.type, `urn:portier-client:problem:${expect.problem}`);
  }
  for (const [name, value] of Object.entries(expect.json ?? {})) assert.deepEqual(json[name], value, name);
}

function checkHeaders({ headers, hasHook, json }, expect) {
  const isPage = (expect.shows ?? expect.problem) !== undefined && json === undefined;
  const expected = {
    ...(!hasHook && HEADERS.every),
    ...(isPage && HEADERS.page),
    ...(json !== undefined && (json.type === undefined ? HEADERS.json : HEADERS.problem)),
    ...expect.headers,
  };
  assert.equal(expect.json !== undefined, json !== undefined, "JSON");
  for (const [name, value] of Object.entries(expected)) assert.equal(headers[name] ?? null, value, name);
}

function checkPage({ body, fields, json, policy }, { fields: expected, lang, problem, shows }) {
  const [, kind] = /<main\b[^>]* data-portier="(\w+)"/.exec(body) ?? [];
  assert.equal(kind, shows, "shows");
  if (lang !== undefined) assert.equal(/<html\b[^>]* lang="([^"]*)"/.exec(body)[1], lang);
  if (expected !== undefined) {
    // The members of an object have no order.
    const inOrder = (pairs) => (json === undefined ? pairs : pairs.toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const anyValue = new Set(expected.flatMap(([name, value]) => (value === null ? [name] : [])));
    const found = fields.map(([name, value]) => [name, anyValue.has(name) && value !== "" ? null : value]);
    assert.deepEqual(inOrder(found), inOrder(expected));
  }
  if (shows === undefined) return;
  if (problem !== undefined) assert.equal(/<main\b[^>]* data-id="(\w+)"/.exec(body)[1], problem);
  assert.ok(policy.startsWith("default-src 'none'"), policy);
  assert.ok(policy.includes("frame-ancestors 'none'"), policy);
  for (const [, part] of body.matchAll(/<(?:style|script)\b[^>]*>(.*?)<\/(?:style|script)>/gs)) {
    const hash = createHash("sha256").update(part).digest("base64");
    assert.ok(policy.includes(`'sha256-${hash}'`), policy);
  }
}

function flagsOf(text) {
  return text.split("; ").toSorted();
}
