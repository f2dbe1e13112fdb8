// Clients for the vectors, with a clock, random numbers and a network that the test controls.
import { readFileSync } from "node:fs";

import { MockTransport, ManualClock, mockClient } from "portier-client/testing";

const VECTORS = new URL("../../../tests/vectors/", import.meta.url);
const BROKER = "https://broker.example";
const DISCOVERY = {
  issuer: BROKER,
  authorization_endpoint: `${BROKER}/auth`,
  jwks_uri: `${BROKER}/keys.json`,
  response_modes_supported: ["form_post", "fragment"],
};
const NOW = 1_790_000_000;

/** Reads a file of vectors. */
export function load(name) {
  const vectors = JSON.parse(readFileSync(new URL(`${name}.json`, VECTORS), "utf8"));
  if (vectors.cases.length === 0) throw new Error(`${name}.json has no cases`);
  return vectors;
}

/** A client with its clock and its network; times are in seconds. */
export function mocked({
  broker = BROKER,
  discovery = DISCOVERY,
  keySet = '{"keys": []}',
  headers = [],
  now = NOW,
  nonces = [],
  redirectUri = "https://example.com/verify",
  options = {},
} = {}) {
  const clock = new ManualClock(now * 1000);
  const transport = new MockTransport();
  for (const [path, document] of [
    ["/.well-known/openid-configuration", discovery],
    ["/keys.json", keySet],
  ]) {
    const body = typeof document === "string" ? document : JSON.stringify(document);
    transport.respond(`${broker}${path}`, body, { headers });
  }
  const random = nonces.map((nonce) => Buffer.from(nonce, "base64url"));
  const changes = camelCased(options);
  const client = mockClient({ redirectUri, broker, clock, transport, random, ...changes });
  return { client, clock, transport };
}

/** Options of the vectors, under their names in JavaScript and in milliseconds. */
function camelCased(options) {
  const entries = Object.entries(options).map(([name, value]) => [
    name.replaceAll(/_[a-z]/g, (letters) => letters[1].toUpperCase()),
    value,
  ]);
  return Object.fromEntries(entries);
}
