// A destroyed client leaves nothing behind once its pending calls have ended.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, beforeEach, test } from "node:test";

import { PortierClient } from "portier-client";

const redirectUri = "https://example.com/verify";
const broker = createServer();
let origin;
let connections;
let answerable;
let answer;

before(async () => {
  broker.on("connection", (socket) => {
    connections.push(once(socket, "close"));
    socket.on("data", async () => {
      await answerable;
      const body = JSON.stringify({ authorization_endpoint: `${origin}/auth`, jwks_uri: `${origin}/keys` });
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    });
  });
  await once(broker.listen(0, "127.0.0.1"), "listening");
  origin = `http://127.0.0.1:${broker.address().port}`;
});

beforeEach(() => {
  connections = [];
  answerable = new Promise((resolve) => (answer = resolve));
});

after(() => broker.close());

test("a destroyed client closes its connections at once", async () => {
  const client = new PortierClient({ redirectUri, broker: origin });
  answer();
  await client.discover();
  client.destroy();
  assert.equal(connections.length, 1);
  await connections[0];
});

test("a client with a new broker closes its old connections", async () => {
  const client = new PortierClient({ redirectUri, broker: origin });
  answer();
  await client.discover();
  client.broker = "https://broker.example";
  assert.equal(connections.length, 1);
  await connections[0];
  client.destroy();
});

test("a pending call is answered after its client is destroyed", async () => {
  const client = new PortierClient({ redirectUri, broker: origin });
  const starting = client.authenticate("alice@example.com");
  client.destroy();
  answer();
  assert.match(await starting, /^http:.*login_hint=alice%40example\.com/);
  await connections[0];
});
