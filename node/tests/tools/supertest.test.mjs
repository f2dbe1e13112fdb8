// The test kit with supertest.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";

import request from "supertest";

import { DevBroker, login, otherBrowser, replayed } from "../../dist/testing.mjs";
import { clientOf, SITES } from "../testing/sites.mjs";

const broker = new DevBroker();
after(() => broker.stop());
const site = (options, client = clientOf(broker)) => SITES["a site of Express"](client, options);

for (const flow of ["code", "implicit"]) {
  test(`a request of supertest logs in, in the ${flow} flow`, async () => {
    const session = await login(request(site({ flow })), "alice@example.com", { next: "/members" });
    assert.equal(session.response.text, "for alice@example.com");
    assert.equal((await session.get("/members")).text, "for alice@example.com");
  });

  test(`an agent of supertest stays signed in, in the ${flow} flow`, async () => {
    const agent = request.agent(site({ flow }));
    await agent.get("/members").expect(303);
    await login(agent, "alice@example.com");
    // Its cookies have `Secure`, and the agent speaks plain http.
    await agent.get("/members").expect(200, "for alice@example.com");
    await agent.post("/logout").set("sec-fetch-site", "same-origin").expect(303);
    await agent.get("/members").expect(303);
  });
}

test("an agent of a server, and one over plain http", async () => {
  for (const redirectUri of ["https://example.com/verify", "http://localhost:8888/verify"]) {
    const agent = request.agent(createServer(site({}, clientOf(broker, { redirectUri }))));
    await login(agent, "alice@example.com");
    await agent.get("/members").expect(200, "for alice@example.com");
  }
});

test("another browser has no cookies of an agent", async () => {
  const agent = request.agent(site());
  const phone = await otherBrowser(agent, "alice@example.com");
  assert.match(phone.response.text, /alice@example\.com/);
  await agent.get("/members").expect(303);
  const thief = await replayed(request.agent(site()), "alice@example.com");
  assert.equal(thief.response.problem, "used");
});
