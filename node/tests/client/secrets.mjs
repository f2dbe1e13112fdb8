// A program that logs in, successfully and not, and prints everything it gets. Its secrets are in the file of its
// argument; its output may contain none of them.
import { subscribe } from "node:diagnostics_channel";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { inspect } from "node:util";

import { BrowserMismatch, PortierClient } from "portier-client";
import { DevBroker } from "portier-client/testing";

const EMAIL = "Wilhelmina.Vanishing@example.com";
const PASSWORD = "correct-horse-battery";
const BROWSER = "hG5mTq-secret-of-this-browser-0123456789abc";
const ELSEWHERE = "kW2nZr-secret-of-that-browser-0123456789abc";
const STATE = "the-state-of-the-application";
const SESSION = "/members?the-session-of-the-application";

const [file] = process.argv.slice(2);
const secrets = new Set(["wilhelmina", "mallory", PASSWORD, BROWSER, ELSEWHERE, STATE, SESSION]);
const broker = new DevBroker({ mode: "accept" });

subscribe("portier-client", (event) => console.log(JSON.stringify(event)));

for (const store of ["memory:", `sqlite:///${path.join(path.dirname(file), "logins.db")}`]) await logIn(store);
await refused(newClient({ store: `redis://user:${PASSWORD}@127.0.0.1:1` }).authenticate(EMAIL));
await refused(newClient({ broker: "http://127.0.0.1:1" }).warm());
await refused(Promise.resolve().then(() => newClient({ broker: `https://user:${PASSWORD}@broker.example` })));
broker.stop();
writeFileSync(file, JSON.stringify([...secrets]));

async function logIn(store) {
  const client = newClient({ store });
  const token = mint({ url: await start(client) });
  await refused(client.verify(keep(`${token.slice(0, -8)}AAAAAAAA`)));
  for (const claims of [{ aud: "https://evil.example" }, { exp: 1 }, { email: "mallory@[::1]" }]) {
    await refused(client.verify(mint({ url: await start(client), claims })));
  }
  show(await client.complete({ id_token: token, state: STATE }));
  await refused(client.verify(token));
  const params = { id_token: mint({ url: await start(client, BROWSER) }), state: STATE };
  const mismatch = await refused(client.complete(params, { browser: ELSEWHERE }));
  if (!(mismatch instanceof BrowserMismatch)) throw mismatch;
  const { confirmation } = mismatch;
  secrets.add(confirmation);
  show(await client.complete(params, { browser: ELSEWHERE, confirmation }));
  await refused(client.complete({ error: "access_denied", error_description: EMAIL }));
  await refused(client.authenticate(`${EMAIL}@two`));
  for (const value of [client, client.stats(), await client.keys(), await client.discover()]) show(value);
  client.destroy();
}

function newClient(options) {
  return new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin, ...options });
}

async function start(client, browser) {
  const url = await client.authenticate(EMAIL, { state: STATE, session: SESSION, browser });
  secrets.add(new URL(url).searchParams.get("nonce"));
  return url;
}

function mint(options) {
  return keep(broker.mint(options));
}

function keep(token) {
  for (const part of token.split(".")) if (part.length > 8) secrets.add(part);
  return token;
}

/** The error of a call, printed in a naive way. */
async function refused(call) {
  const error = await call.then(
    () => {
      throw new Error("nothing was refused");
    },
    (error) => error,
  );
  show(error);
  console.error(String(error), error.stack);
  return error;
}

function show(value) {
  console.log(inspect(value, { depth: Infinity }), `${value}`);
  // The JSON of a login contains the login.
  if (value.constructor.name !== "Login") console.log(JSON.stringify(value));
}
