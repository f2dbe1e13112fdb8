// A clock that stands still, in the core as well.
import assert from "node:assert/strict";
import { after, mock, test } from "node:test";

import { DevBroker, freezeTime, login } from "portier-client/testing";

import { clientOf, SITES } from "./sites.mjs";

const broker = new DevBroker();
after(() => broker.stop());

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOON = Date.UTC(2030, 0, 1, 12);
const site = (client = clientOf(broker)) => SITES["a handler of fetch"](client);

test("time stands still until it is moved", async (t) => {
  const client = clientOf(broker);
  const clock = freezeTime(new Date(NOON));
  t.after(() => clock.resume());
  const complete = async (later) => {
    const url = await client.authenticate("alice@example.com");
    const token = broker.mint({ url });
    clock.tick(later);
    return (await client.complete({ id_token: token })).issuedAt;
  };
  assert.deepEqual(await complete(0), new Date(NOON));
  assert.deepEqual(await complete(60_000), new Date(NOON));
  assert.equal(clock.now, NOON + 60_000);
  await assert.rejects(complete(HOUR_MS), { code: /^(?:token_expired|session_unknown)$/ });
  clock.resume();
  const url = await client.authenticate("alice@example.com");
  const { issuedAt } = await client.complete({ id_token: broker.mint({ url }) });
  assert.ok(Math.abs(issuedAt - Date.now()) < 60_000, String(issuedAt));
});

test("a session of the core ends after its time", async (t) => {
  const clock = freezeTime();
  t.after(() => clock.resume());
  const session = await login(site(), "alice@example.com");
  clock.tick(13 * DAY_MS);
  assert.equal((await session.get("/members")).status, 200);
  // The session was renewed.
  clock.tick(13 * DAY_MS);
  assert.equal((await session.get("/members")).status, 200);
  clock.tick(15 * DAY_MS);
  assert.equal((await session.get("/members")).status, 303);
});

test("fake timers of the runner move together with it", async (t) => {
  mock.timers.enable({ apis: ["Date", "setTimeout"], now: NOON });
  t.after(() => mock.timers.reset());
  const clock = freezeTime(Date.now(), { timers: mock.timers });
  t.after(() => clock.resume());
  const session = await login(site(), "alice@example.com");
  let rang = false;
  setTimeout(() => (rang = true), DAY_MS);
  clock.tick(DAY_MS);
  assert.deepEqual([clock.now, Date.now(), rang], [NOON + DAY_MS, NOON + DAY_MS, true]);
  assert.equal((await session.get("/members")).status, 200);
  clock.tick(15 * DAY_MS);
  assert.equal((await session.get("/members")).status, 303);
  assert.deepEqual(session.cookies.filter(({ name }) => name.endsWith("-session")), []);
});

test("clients of other brokers go on", async (t) => {
  const other = new DevBroker();
  const clock = freezeTime(NOON, { broker });
  t.after(() => {
    clock.resume();
    other.stop();
  });
  clock.tick(HOUR_MS);
  const client = clientOf(other);
  const url = await client.authenticate("alice@example.com");
  const { issuedAt } = await client.complete({ id_token: other.mint({ url }) });
  assert.ok(Math.abs(issuedAt - Date.now()) < 60_000, String(issuedAt));
});
