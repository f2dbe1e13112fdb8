// The vectors that all languages share, through the public interface.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { PortierError, normalize, normalizeEmail, safeNext } from "portier-client";

import { mocked, load } from "./mocked.mjs";

function replay(name, check) {
  const { cases, ...shared } = load(name);
  describe(name, () => {
    for (const vector of cases) test(vector.id, () => check(vector, shared));
  });
}

/** The result of an operation, or the code of its error. */
async function outcome(operation) {
  try {
    return await operation();
  } catch (error) {
    if (!(error instanceof PortierError)) throw error;
    const { code, claim, reason } = error;
    return claim ? { code, claim, reason } : { code };
  }
}

const GOOD = load("tokens").cases.flatMap(({ id, token }) =>
  ["rs256-2048", "eddsa"].includes(id) ? [token] : [],
);

replay("tokens", async ({ token, options = {}, expect }, shared) => {
  const { leeway_seconds: leeway = shared.leeway_seconds, ...others } = options;
  const { client, clock } = mocked({
    broker: shared.broker,
    discovery: shared.discovery,
    keySet: shared.key_set,
    now: shared.session_started_at,
    nonces: [shared.nonce],
    redirectUri: shared.redirect_uri,
    options: { leewayMs: leeway * 1000, ...others },
  });
  const logIn = async () => {
    await client.authenticate(shared.login_email);
    clock.set(shared.now * 1000);
    const { email, emailOriginal, issuedAt, authTime } = await client.complete({ id_token: token });
    return {
      email,
      email_original: emailOriginal,
      issued_at: issuedAt.getTime() / 1000,
      auth_time: authTime === null ? null : authTime.getTime() / 1000,
    };
  };
  if (token !== "") {
    assert.deepEqual(await outcome(logIn), expect);
    if (!("code" in expect) || expect.code === "session_email") return;
    // A token that is refused because of its content uses up no login.
    const found = [];
    for (const good of GOOD) found.push(await outcome(() => client.verify(good)));
    return assert.ok(found.includes(shared.login_email));
  }
  // In a form, an empty parameter is an absent one; `verify` gets the token itself.
  assert.deepEqual(await outcome(() => client.verify("")), expect);
  assert.deepEqual(await outcome(logIn), { code: "missing_token" });
});

replay("key_sets", async ({ body, expect }) => {
  const { client } = mocked({ keySet: body });
  assert.deepEqual(await outcome(async () => ({ keys: await client.keys() })), expect);
});

/** The form object of a framework, for the content type. */
function form(params) {
  if (params.every(([, value]) => typeof value === "string")) return new URLSearchParams(params);
  const form = new FormData();
  for (const [name, value] of params) {
    form.append(name, typeof value === "string" ? value : new File([value.file], "file.txt"));
  }
  return form;
}

replay("callbacks", async ({ start, attempts, expect }, shared) => {
  const { client, clock } = mocked({
    broker: shared.broker,
    discovery: shared.discovery,
    keySet: shared.key_set,
    now: shared.session_started_at,
    nonces: [shared.nonce],
    redirectUri: shared.redirect_uri,
    options: { leewayMs: shared.leeway_seconds * 1000 },
  });
  await client.authenticate(shared.login_email, start);
  clock.set(shared.now * 1000);
  const found = [];
  for (const { params, browser } of attempts) {
    const arrive = async () => {
      const login = await client.complete(form(params), { browser });
      const { email, state, session, sameBrowser } = login;
      return { email, state, session, same_browser: sameBrowser };
    };
    found.push(await outcome(arrive));
  }
  assert.deepEqual(found, expect);
});

replay("configurations", async ({ broker, redirect_uri: redirectUri, options, expect }) => {
  const durations = ["leeway", "session_ttl", "timeout"];
  const inMilliseconds = Object.entries(options).map(([name, value]) =>
    durations.includes(name) ? [`${name}_ms`, value * 1000] : [name, value],
  );
  const configure = () => {
    const { client } = mocked({ broker, redirectUri, options: Object.fromEntries(inMilliseconds) });
    return {
      redirect_uri: client.redirectUri,
      client_id: client.clientId,
      broker: client.broker,
    };
  };
  assert.deepEqual(await outcome(configure), expect);
});

replay("broken_documents", async ({ body, expect }) => {
  const { client } = mocked({ discovery: body });
  const found = await outcome(() => client.discover());
  for (const [name, value] of Object.entries(expect)) assert.equal(found[name], value);
});

replay("rfc_examples", async ({ token, expect }) => {
  const { client } = mocked({ keySet: load("tokens").key_set });
  assert.deepEqual(await outcome(() => client.verify(token)), expect);
});

replay("discovery", async ({ broker, body, expect }) => {
  const options = { dangerAllowHttp: broker.startsWith("http:") };
  const { client, transport } = mocked({ broker, discovery: body, options });
  const found = await outcome(() => client.discover());
  if ("code" in expect) return assert.deepEqual(found, expect);
  assert.deepEqual(found, JSON.parse(body));
  // The URL of the keys shows how the document was read.
  transport.respond(expect.jwks_uri, '{"keys": []}');
  assert.deepEqual(await outcome(() => client.keys()), { code: "broker_document" });
  assert.equal(transport.requests(expect.jwks_uri), 1);
});

replay("cache_headers", async ({ headers, expect }, { now }) => {
  const { client } = mocked({ headers, now });
  await client.discover();
  assert.equal(client.stats().discovery.freshForMs, expect.lifetime * 1000);
});

replay("emails", async ({ input, expect, authenticate }) => {
  assert.deepEqual(await outcome(() => ({ email: normalizeEmail(input) })), expect);
  assert.equal(normalize(input), expect.email ?? "");
  const started = await outcome(() => mocked().client.authenticate(input));
  assert.equal(typeof started === "string" ? "accepted" : started.code, authenticate);
});

replay("authorization_urls", async ({ discovery, redirect_uri, options, authenticate, expect }, shared) => {
  const { client } = mocked({
    broker: shared.broker,
    discovery,
    nonces: [shared.nonce],
    redirectUri: redirect_uri,
    options,
  });
  const { email = null, ...rest } = authenticate;
  const started = await outcome(() => client.authenticate(email, rest));
  assert.deepEqual(typeof started === "string" ? { url: started } : started, expect);
});

replay("next", ({ next, allowed_hosts, expect }) => {
  assert.equal(safeNext(next, allowed_hosts), expect);
});
