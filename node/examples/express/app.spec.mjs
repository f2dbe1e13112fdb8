// Tests of the site, with Jest and supertest: node --experimental-vm-modules node_modules/.bin/jest
import { randomBytes } from "node:crypto";

import { jest } from "@jest/globals";
import { PortierClient } from "portier-client";
import { cancelled, DevBroker, freezeTime, login, LoginFailed } from "portier-client/testing";
import request from "supertest";

import { makeApp } from "./app.mjs";

const broker = new DevBroker();
afterAll(() => broker.stop());
const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
const app = makeApp(client, randomBytes(32).toString("base64url"));

test("the shelf is for members", async () => {
  await request(app).get("/members").expect(303).expect("location", "/login?next=%2Fmembers");
});

test("members log in, and the agent stays signed in", async () => {
  const agent = request.agent(app);
  await login(agent, "alice@example.com", { next: "/members" });
  await agent.get("/members").expect(200).expect(/The shelf/);
});

test("somebody who cancels can start again", async () => {
  const { response } = await cancelled(request(app), "alice@example.com");
  expect(response.status).toBe(403);
  expect(response.text).toMatch(/Start again/);
});

test("members log in again after a month", async () => {
  jest.useFakeTimers();
  const clock = freezeTime(Date.now(), { timers: jest });
  const session = await login(app, "alice@example.com");
  clock.tick(31 * 24 * 60 * 60 * 1000);
  expect((await session.get("/members")).status).toBe(303);
  clock.resume();
  jest.useRealTimers();
});

test("an address that is none is shown again", async () => {
  const error = await login(app, "alice").catch((error) => error);
  expect(error).toBeInstanceOf(LoginFailed);
  expect(error.response.text).toMatch(/value="alice"/);
});
