// Measures whole logins with Redis, against handwritten code; prints JSON.
//
// The handwritten code is what a site would write: a nonce, one command of node-redis to store it, Node's own crypto,
// one command to take it. stores.mjs SOCKET_OF_REDIS
import { createPublicKey, randomBytes, verify as verifySignature } from "node:crypto";

import { EMAIL, median, REDIRECT_URI, require, rounds, spawnBroker } from "./common.mjs";

const { PortierClient } = require("portier-client");
const { createClient } = require("redis");

const ROUNDS = rounds(11);
const IN_FLIGHT = Number(process.env.LOGINS ?? 100);
const CLIENT_ID = "http://localhost:8888";
const LIFETIME_MS = 1_800_000;
const LEEWAY_S = 180;

const broker = spawnBroker();
const [socket] = process.argv.slice(2);
const ours = new PortierClient({
  redirectUri: REDIRECT_URI,
  broker: broker.origin,
  store: `redis+unix://${socket}`,
});
await ours.warm();
const redis = await createClient({ socket: { path: socket } }).connect();
const discovery = await ours.discover();
const jwks = await (await fetch(discovery.jwks_uri)).json();
const keys = new Map(
  jwks.keys.map((jwk) => [jwk.kid, createPublicKey({ format: "jwk", key: jwk })]),
);

const byHand = {
  async authenticate(email) {
    const nonce = randomBytes(24).toString("base64url");
    await redis.set(`nonce:${nonce}`, email, { PX: LIFETIME_MS, NX: true });
    const query = new URLSearchParams({
      login_hint: email,
      scope: "openid email",
      nonce,
      response_type: "id_token",
      response_mode: "form_post",
      client_id: CLIENT_ID,
      redirect_uri: REDIRECT_URI,
    });
    return `${discovery.authorization_endpoint}?${query}`;
  },

  async verify(token) {
    const [header, payload, signature] = token.split(".");
    const { alg, kid } = JSON.parse(Buffer.from(header, "base64url"));
    const message = Buffer.from(`${header}.${payload}`);
    const genuine =
      alg === "RS256" &&
      verifySignature("sha256", message, keys.get(kid), Buffer.from(signature, "base64url"));
    const claims = JSON.parse(Buffer.from(payload, "base64url"));
    const now = Date.now() / 1000;
    if (
      !genuine ||
      claims.iss !== broker.origin ||
      claims.aud !== CLIENT_ID ||
      !(claims.exp > now - LEEWAY_S && claims.iat < now + LEEWAY_S) ||
      (await redis.getDel(`nonce:${claims.nonce}`)) !== claims.email_original
    ) {
      throw new Error("the token is not good");
    }
    return claims.email;
  },
};

const walks = {
  async sequential(call, values) {
    const results = [];
    for (const value of values) results.push(await call(value));
    return results;
  },
  in_flight: (call, values) => Promise.all(values.map((value) => call(value))),
};

const results = Object.fromEntries(
  Object.keys(walks).map((way) => [way, { portier_client: [], by_hand: [] }]),
);
for (let round = 0; round <= ROUNDS; round++) {
  const pair = [["portier_client", ours], ["by_hand", byHand]];
  if (round % 2) pair.reverse();
  for (const [way, walk] of Object.entries(walks)) {
    for (const [name, login] of pair) {
      const time = await oneRound(login, walk);
      // The first round only warms up.
      if (round) results[way][name].push((time * 1000) / IN_FLIGHT);
    }
  }
}
await redis.close();
ours.destroy();
broker.stop();
const figures = Object.entries(results).map(([way, times]) => [
  way,
  {
    portier_client: median(times.portier_client),
    by_hand: median(times.by_hand),
    by_hand_to_portier_client: median(
      times.by_hand.map((time, round) => time / times.portier_client[round]),
    ),
  },
]);
console.log(JSON.stringify(Object.fromEntries(figures)));

/** Runs some logins; returns the milliseconds of both halves, without the broker's part. */
async function oneRound(login, walk) {
  let start = performance.now();
  const urls = await walk((email) => login.authenticate(email), Array(IN_FLIGHT).fill(EMAIL));
  let spent = performance.now() - start;
  const tokens = urls.map((url) => broker.mint(JSON.stringify({ url })));
  start = performance.now();
  const emails = await walk((token) => login.verify(token), tokens);
  spent += performance.now() - start;
  if (!emails.every((email) => email === EMAIL)) throw new Error("a login failed");
  return spent;
}
