// Measures logins while others are pending, beside npm `portier`; prints JSON. PENDING in the environment sets a
// smaller maximum.
import { EMAIL, LOGINS, median, REDIRECT_URI, require, rounds, spawnBroker } from "./common.mjs";
import { makePortier } from "./peers.mjs";

const { MemoryStore, PortierClient } = require("portier-client");

const ROUNDS = rounds(9);
const MOST = Number(process.env.PENDING ?? 1_000_000);
const PENDING = [0, 1_000, 100_000, 1_000_000].filter((pending) => pending <= MOST);
/** The time limit for filling a store; larger numbers are left out. */
const PATIENCE_MS = 20_000;

const broker = spawnBroker();
const results = {};
for (const pending of PENDING) results[pending] = await measure(pending);
broker.stop();
console.log(JSON.stringify({ rounds: ROUNDS, ...results }));

async function measure(pending) {
  const store = new MemoryStore({ capacity: MOST + (ROUNDS + 2) * LOGINS });
  const ours = new PortierClient({ redirectUri: REDIRECT_URI, broker: broker.origin, store });
  const theirs = makePortier(broker.origin, REDIRECT_URI);
  const clients = [];
  for (const [name, client] of Object.entries({ ours, theirs })) {
    if (await fill(client, pending)) clients.push([name, client]);
  }
  const samples = {};
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, client] of round % 2 ? clients : clients.toReversed()) {
      const measured = await oneRound(client);
      // The first round only warms up.
      if (round > 0) (samples[name] ??= []).push(measured);
    }
  }
  ours.destroy();
  theirs.destroy();
  return Object.fromEntries(
    Object.entries(samples).map(([name, rounds]) => [
      name,
      {
        authenticate: median(rounds.map(({ authenticate }) => authenticate)),
        verify: median(rounds.map(({ verify }) => verify)),
      },
    ]),
  );
}

/** Whether this number of logins could be started in time. */
async function fill(client, pending) {
  const start = performance.now();
  for (let number = 0; number < pending; number++) {
    await client.authenticate(EMAIL);
    if (performance.now() - start > PATIENCE_MS) return false;
  }
  return true;
}

/** Microseconds for each half of a login. */
async function oneRound(client) {
  const urls = [];
  let start = performance.now();
  for (let number = 0; number < LOGINS; number++) urls.push(await client.authenticate(EMAIL));
  const authenticate = ((performance.now() - start) * 1000) / LOGINS;
  const tokens = urls.map((url) => broker.mint(JSON.stringify({ url })));
  start = performance.now();
  for (const token of tokens) await client.verify(token);
  return { authenticate, verify: ((performance.now() - start) * 1000) / LOGINS };
}
