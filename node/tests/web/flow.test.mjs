// The flow without an integration: with `node:http`, with `fetch`, and with plain objects.
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, test } from "node:test";
import { inspect } from "node:util";

import PortierClient, { ConfigError, InvalidEmail, InvalidRequest, LoginFlow } from "portier-client";
import { loginPolicy } from "portier-client/express";
import { DevBroker } from "portier-client/testing";

import { Visitor } from "./visitor.mjs";

const FORM = "application/x-www-form-urlencoded";
const ORIGIN = "https://example.com";

const broker = new DevBroker();
after(() => broker.stop());

const clientAt = (redirectUri = `${ORIGIN}/verify`, options = {}) =>
  new PortierClient({ redirectUri, broker: broker.origin, ...options });
// The implicit flow, in which the broker's answer is a form; `code_flow.test.mjs` tests the code flow.
const IMPLICIT = { flow: "implicit" };
const email = (body = "email=alice@example.com&next=/members") => ({
  method: "POST",
  headers: { "Content-Type": FORM },
  body,
});
const locationOf = ({ reply }) => new Map(reply.headers).get("location");

test("the flow works with node:http alone", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const origin = `http://localhost:${server.address().port}`;
  const flow = new LoginFlow(clientAt(`${origin}/verify`), IMPLICIT);
  server.on("request", async (request, response) => {
    const step = await (flow.isCallback(request.url) ? flow.callback(request) : flow.login(request));
    if (step.login !== null) response.setHeader("Set-Cookie", "session=1");
    step.send(response);
  });
  const visitor = new Visitor();
  const options = { origin, follow: false };
  const started = await visitor.post(`${origin}/login`, { email: "alice@example.com", next: "/members" }, options);
  const answer = { id_token: broker.mint({ url: started.headers.location }) };
  for (const names of [["session", "portier-signed-in"], []]) {
    const done = await visitor.post(`${origin}/verify`, answer, { follow: false });
    assert.deepEqual([done.status, done.headers.location], [303, "/members"]);
    assert.deepEqual((done.headers["set-cookie"] ?? []).map((line) => line.split("=")[0]), names);
  }
  const large = await visitor.post(`${origin}/login`, { email: "a".repeat(70_000) }, options);
  assert.equal(large.status, 413);
  const head = await visitor.request("HEAD", `${origin}/verify`);
  assert.deepEqual([head.status, head.headers.allow, head.text], [405, "POST", ""]);
});

test("the flow works with fetch alone", async () => {
  const flow = new LoginFlow(clientAt(), IMPLICIT);
  const post = (path, fields, headers = {}) =>
    new Request(ORIGIN + path, { method: "POST", body: new URLSearchParams(fields), headers });
  const started = (await flow.login(post("/login", { email: "alice@example.com" }, { Accept: "text/html" }))).toResponse();
  assert.deepEqual([started.status, await started.text()], [303, ""]);
  const cookie = started.headers.getSetCookie()[0].split(";")[0];
  const answer = { id_token: broker.mint({ url: started.headers.get("location") }) };
  const step = await flow.callback(post("/verify", answer, { Cookie: cookie }));
  const done = step.toResponse();
  assert.deepEqual([done.status, done.headers.get("location"), step.login.email], [303, "/", "alice@example.com"]);
  assert.match(done.headers.getSetCookie()[0], /^__Host-portier-signed-in=/);

  const page = (await flow.callback(new Request(`${ORIGIN}/verify`))).toResponse();
  assert.deepEqual([page.status, page.headers.get("content-type")], [405, "text/html; charset=utf-8"]);
  assert.match(page.headers.get("content-security-policy"), /frame-ancestors 'none'/);
  assert.match(await page.text(), /data-id="post_only"/);

  const codeOf = async (request) => (await flow.callback(request)).error.code;
  assert.equal(await codeOf(post("/verify", { id_token: "a".repeat(70_000) })), "request_too_large");
  const read = post("/verify", answer, { "Content-Type": FORM });
  await read.text();
  assert.equal(await codeOf(read), "invalid_option");
});

const BODIES = {
  "text": "email=alice@example.com",
  "bytes": new TextEncoder().encode("email=alice@example.com"),
  "parameters": new URLSearchParams({ email: "alice@example.com" }),
  "form data": formData({ email: "alice@example.com" }),
  "an object": { email: "alice@example.com", other: { deep: true } },
  "an object without a prototype": Object.assign(Object.create(null), { email: ["alice@example.com"] }),
  "pairs": [["email", "alice@example.com"]],
  "a map": new Map([["email", "alice@example.com"]]),
};
for (const [what, body] of Object.entries(BODIES)) {
  test(`a form may be given as ${what}`, async () => {
    const { error, reply } = await new LoginFlow(clientAt()).login(email(body));
    assert.deepEqual([error, reply.status], [null, 303]);
  });
}

const NO_ADDRESSES = {
  "a file": formData({ email: new File(["alice@example.com"], "a.txt") }),
  "several": { email: ["alice@example.com", "bob@example.com"] },
  "an object": { email: { address: "alice@example.com" } },
  "half of a character": { email: "\ud800alice@example.com" },
  "inherited": Object.create({ email: "alice@example.com" }),
};
for (const [what, body] of Object.entries(NO_ADDRESSES)) {
  test(`a value that is not text is an invalid address: ${what}`, async () => {
    const { error, problem } = await new LoginFlow(clientAt()).login(email(body));
    if (what !== "inherited") assert.ok(error instanceof InvalidEmail);
    assert.notEqual(problem, null);
  });
}

const HEADERS = {
  "an object": { "content-type": FORM, "sec-fetch-site": "cross-site" },
  "an object with other names": { "Content-Type": FORM, "Sec-Fetch-Site": "cross-site" },
  "Headers": new Headers({ "Content-Type": FORM, "Sec-Fetch-Site": "cross-site" }),
  "pairs": [["Content-Type", FORM], ["SEC-FETCH-SITE", "cross-site"]],
  "lists": { "content-type": [FORM], "sec-fetch-site": ["same-origin", "cross-site"] },
  "a header in the value of another": { "content-type": FORM, origin: "https://evil.example", accept: "*/*\nsec-fetch-site:none" },
};
for (const [what, headers] of Object.entries(HEADERS)) {
  test(`every form of another site is refused: ${what}`, async () => {
    const { error, reply } = await new LoginFlow(clientAt()).login({ ...email(), headers });
    assert.ok(error instanceof InvalidRequest);
    assert.deepEqual([error.code, reply.status], ["request_origin", 403]);
  });
}

test("cookies may be in several headers", async () => {
  const flow = new LoginFlow(clientAt(), IMPLICIT);
  const started = await flow.login(email());
  const [secret] = started.reply.cookies[0].split(";");
  const headers = { ...email().headers, cookie: ["a=1", secret, "b=2"] };
  const body = { id_token: broker.mint({ url: locationOf(started) }) };
  assert.equal((await flow.callback({ method: "POST", headers, body })).login.sameBrowser, true);
});

test("a form token may be checked for one request", async () => {
  const flow = new LoginFlow(clientAt());
  const request = { ...email(), headers: { "content-type": FORM, origin: "null" } };
  assert.equal((await flow.login(request)).error.code, "request_origin");
  assert.equal((await flow.login(request, { formTokenChecked: true })).error, null);
});

test("a login may start from a form with other fields", async () => {
  const flow = new LoginFlow(clientAt());
  const request = new Request(`${ORIGIN}/sign-in`, { method: "POST", body: "{}" });
  assert.equal(new URL(locationOf(await flow.start(request, "alice@example.com", "/members"))).origin, broker.origin);
  for (const typed of ["nobody", "\udfffa@example.com", undefined, { toString: () => "a@example.com" }]) {
    assert.equal((await flow.start(request, typed)).problem.id, "invalid_email");
  }
});

const MISTAKES = {
  "a client that is none": () => new LoginFlow({}),
  "no client": () => new LoginFlow(),
  "options that are none": () => new LoginFlow(clientAt(), "confirm"),
  "a name that is misspelt": () => new LoginFlow(clientAt(), { browserbinding: "off" }),
  "languages that are none": () => new LoginFlow(clientAt(), { languages: "de" }),
  "texts that are none": () => new LoginFlow(clientAt(), { texts: { en: "x" } }),
  "a text that is none": () => new LoginFlow(clientAt(), { texts: { en: { "problem.used.title": 1 } } }),
  "a flow that is none": () => new LoginFlow(clientAt(), { flow: "hybrid" }),
  "a flow of the client that only a login flow has": () => clientAt(undefined, { flow: "auto" }),
  "a query that is no text": () => new LoginFlow(clientAt()).callback({ ...email(), query: new URLSearchParams() }),
  "a token that is no yes": () => new LoginFlow(clientAt(), { formTokenChecked: "yes" }),
  "a request that is none": () => new LoginFlow(clientAt()).callback({}),
  "a request without headers": () => new LoginFlow(clientAt()).callback({ method: "POST" }),
  "a request with a misspelt member": () => new LoginFlow(clientAt()).login({ ...email(), header: {} }),
  "an option of another call": () => new LoginFlow(clientAt()).callback(email(), { formTokenChecked: true }),
};
for (const [what, act] of Object.entries(MISTAKES)) {
  test(`invalid options and arguments are refused: ${what}`, async () => {
    await assert.rejects(async () => act(), ConfigError);
  });
}

test("errors use the option names of Node", () => {
  const message = (options) => {
    try {
      return new LoginFlow(clientAt(), options);
    } catch (error) {
      return error.message;
    }
  };
  assert.match(message({ defaultNext: "//evil.example" }), /^defaultNext is neither /);
  assert.match(message({ callbackPath: "verify" }), /^callbackPath is not a path /);
  assert.match(message({ flow: "hybrid" }), /^flow is none of auto, implicit, code$/);
  assert.match(message({ browserBinding: "on" }), /^browserBinding is none of /);
});

test("a flow follows the settings of its client, and ends with it", async () => {
  const client = clientAt();
  const flow = new LoginFlow(client);
  assert.deepEqual([flow.callbackPath, flow.isSecure], ["/verify", true]);
  client.redirectUri = "http://localhost:8888/elsewhere";
  assert.deepEqual([flow.callbackPath, flow.isSecure], ["/elsewhere", false]);
  assert.ok(flow.isCallback("/elsewhere?x"));
  client.broker = "https://broker.example";
  assert.match(flow.formPolicy, /form-action 'self' https:\/\/broker\.example /);
  client.destroy();
  assert.ok(flow.isCallback("/elsewhere"), "so that whoever comes is told");
  await assert.rejects(flow.callback(email()), /^Error: the client was destroyed$/);
});

test("a policy for each response needs one flow, and follows the settings of its client", () => {
  const client = clientAt();
  const FLOW = Symbol.for("portier-client.flow");
  let made = 0;
  client[FLOW] = (...given) => {
    made += 1;
    return PortierClient.prototype[FLOW].apply(client, given);
  };
  const policy = loginPolicy(client);
  assert.equal(loginPolicy(client), policy);
  assert.equal(made, 1);
  const other = loginPolicy(client, { identityProviders: ["https://idp.example"] });
  assert.match(other, / https:\/\/idp\.example/);
  assert.equal(loginPolicy(client, { identityProviders: ["https://idp.example"] }), other);
  assert.equal(made, 2);
  client.broker = "https://broker.example";
  assert.match(loginPolicy(client), /form-action 'self' https:\/\/broker\.example /);
  assert.match(loginPolicy(clientAt(undefined, { broker: "https://another.example" })), / https:\/\/another\.example /);
});

test("a flow of another copy of the package works", async () => {
  const require = createRequire(import.meta.url);
  const file = require.resolve("portier-client");
  const before = require(file);
  for (const name of Object.keys(require.cache)) {
    if (name.includes("/dist/") && !name.endsWith(".node")) delete require.cache[name];
  }
  const copy = require(file);
  assert.notEqual(copy.LoginFlow, before.LoginFlow);
  const store = { put: async () => {}, take: async () => Promise.reject(new Error("down")) };
  const client = new before.PortierClient({ redirectUri: `${ORIGIN}/verify`, broker: broker.origin, store });
  const flow = new copy.LoginFlow(client, { browserBinding: "off", ...IMPLICIT });
  const url = locationOf(await flow.login(email()));
  const { error } = await flow.callback(email({ id_token: broker.mint({ url }) }));
  assert.ok(error instanceof copy.StoreError && error instanceof before.StoreError);
  assert.equal(error.cause.message, "down");
});

test("stores and events have the context of their call", async (t) => {
  const context = new AsyncLocalStorage();
  const seen = [];
  const listener = ({ message }) => seen.push([message, context.getStore()]);
  subscribe("portier-client", listener);
  t.after(() => unsubscribe("portier-client", listener));
  const store = {
    async put() {
      seen.push(["put", context.getStore()]);
      throw new Error("down");
    },
    take: () => null,
  };
  const flow = new LoginFlow(clientAt(undefined, { store }));
  const step = await context.run("this login", () => flow.login(email()));
  assert.equal(step.problem.id, "not_possible");
  const ours = seen.filter(([what]) => what === "put" || what.startsWith("login"));
  assert.deepEqual(ours, [["put", "this login"], ["login failed", "this login"]]);
});

test("a call may be aborted", async () => {
  const store = { put: () => new Promise(() => {}), take: () => null };
  const flow = new LoginFlow(clientAt(undefined, { store }));
  const given = new AbortController();
  const login = flow.login(email(), { signal: given.signal });
  given.abort(new Error("gone"));
  await assert.rejects(login, /^Error: gone$/);
});

test("an error may be explained", async () => {
  const flow = new LoginFlow(clientAt(), { browserBinding: "off", languages: ["en", "de"] });
  const body = { error: "access_denied" };
  const { error, problem } = await flow.callback({ ...email(body), headers: { "content-type": FORM, "accept-language": "de" } });
  assert.deepEqual(flow.explain(error, "de"), problem);
  assert.deepEqual([problem.id, problem.status, problem.language], ["cancelled", 403, "de"]);
  assert.equal(flow.explain(error).language, "en");
});

test("a printed step shows no secret", async () => {
  const flow = new LoginFlow(clientAt(), IMPLICIT);
  const started = await flow.login(email());
  const id_token = broker.mint({ url: locationOf(started) });
  const headers = { "content-type": FORM, cookie: "__Host-portier-probe=1" };
  const asked = await flow.callback({ method: "POST", headers, body: { id_token, portier_again: "1" } });
  assert.equal(asked.confirmation.email, "alice@example.com");
  const printed = inspect([started, asked], { depth: 9 });
  assert.match(printed, /Step \{.*status: 303/s);
  const [secret] = /[\w-]{43}/.exec(started.reply.cookies[0]);
  for (const text of ["alice", id_token.split(".")[2], secret, "portier_confirmation"]) {
    assert.ok(!printed.includes(text), text);
  }
});

function formData(fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}
