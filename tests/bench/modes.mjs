// Logins that are pending in memory beside sealed ones, in both flows. The transport answers from memory, so the
// time is that of the library, without a network.
import { EMAIL, inTurn, LOGINS, median, REDIRECT_URI, require } from "./common.mjs";

const { ManualClock, MockTransport, mockClient } = require("portier-client/testing");

const BROWSER = "the secret of a browser";
const MODES = { memory: undefined, sealed: "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA" };
const FLOWS = ["implicit", "code"];

/** The microseconds of both halves of a login, in each flow. */
export async function measureModes(broker, rounds) {
  const figures = {};
  for (const flow of FLOWS) {
    const logins = {};
    for (const [mode, secret] of Object.entries(MODES)) logins[mode] = await Logins.of(broker, flow, secret);
    const samples = { memory: [], sealed: [] };
    for (let round = 0; round <= rounds; round++) {
      const measured = await inTurn(round, {
        memory: () => logins.memory.oneRound(),
        sealed: () => logins.sealed.oneRound(),
      });
      // The first round only warms up.
      if (round > 0) for (const [mode, halves] of Object.entries(measured)) samples[mode].push(halves);
    }
    for (const half of ["authenticate", "complete"]) {
      const [memory, sealed] = [samples.memory, samples.sealed].map((all) => all.map((each) => each[half]));
      figures[`${flow}_${half}`] = {
        memory: median(memory),
        sealed: median(sealed),
        more: median(sealed.map((time, round) => time - memory[round])),
      };
    }
  }
  return figures;
}

/** The logins of one mode and flow. */
class Logins {
  #broker;
  #transport;
  #client;

  constructor(broker, transport, client) {
    this.#broker = broker;
    this.#transport = transport;
    this.#client = client;
  }

  static async of(broker, flow, secret) {
    const transport = new MockTransport();
    for (const path of ["/.well-known/openid-configuration", "/keys.json"]) {
      const response = await fetch(`${broker.origin}${path}`);
      transport.respond(`${broker.origin}${path}`, await response.text());
    }
    const clock = new ManualClock(Date.now());
    const options = { redirectUri: REDIRECT_URI, broker: broker.origin, flow, secret };
    return new Logins(broker, transport, mockClient({ ...options, clock, transport }));
  }

  async oneRound() {
    const [client, urls] = [this.#client, []];
    await client.warm();
    let start = performance.now();
    for (let index = 0; index < LOGINS; index++) {
      urls.push(await client.authenticate(EMAIL, { browser: BROWSER }));
    }
    const authenticate = performance.now() - start;
    const tokens = urls.map((url) => this.#broker.mint(JSON.stringify({ url })));
    let complete = 0;
    for (const [index, url] of urls.entries()) {
      const form = this.#arrive(url, tokens[index]);
      start = performance.now();
      await client.complete(form, { browser: BROWSER });
      complete += performance.now() - start;
    }
    return { authenticate: (authenticate / LOGINS) * 1000, complete: (complete / LOGINS) * 1000 };
  }

  /** What the browser brings back; the broker answers to the token request of its login. */
  #arrive(url, token) {
    const state = new URL(url).searchParams.get("state");
    if (state === null) return { id_token: token };
    const headers = [["content-type", "application/json"]];
    this.#transport.respond(`${this.#broker.origin}/token`, JSON.stringify({ id_token: token }), { headers });
    return { code: "c", state };
  }
}
