// Callbacks of both flows through the web flow, and requests of people who are signed in.
import { randomBytes } from "node:crypto";

import { EMAIL, REDIRECT_URI, require } from "./common.mjs";

const { LoginFlow, SessionCookie } = require("portier-client");
const { ManualClock, MockTransport, mockClient } = require("portier-client/testing");

const HEADERS = {
  accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "accept-language": "en-US,en;q=0.5",
  cookie: `portier=${"A".repeat(43)}`,
  "sec-fetch-dest": "document",
  "sec-fetch-mode": "navigate",
};
const POST = {
  ...HEADERS,
  "content-type": "application/x-www-form-urlencoded",
  origin: "null",
  "sec-fetch-site": "same-origin",
};
const GET = { ...HEADERS, "sec-fetch-site": "cross-site" };

/** The implicit flow: the browser posts the broker's form, and our page posts it again with cookies. */
export class FormCallbacks {
  #broker;
  #flow;

  constructor(broker, client) {
    this.#broker = broker;
    this.#flow = new LoginFlow(client, { flow: "implicit" });
  }

  /** The bodies that a browser posts to the redirect URI, one for each login. */
  async forms(number) {
    const forms = [];
    for (let index = 0; index < number; index++) {
      const token = this.#broker.mint(JSON.stringify({ url: await started(this.#flow) }));
      forms.push(Buffer.from(new URLSearchParams({ id_token: token, state: "" }).toString()));
    }
    return forms;
  }

  /** Completes a login without signing anybody in. */
  answer = async (body) => {
    const { login } = await this.#flow.callback({ method: "POST", headers: POST, body });
    if (login === null) throw new Error("the login was not completed");
  };

  /** Answers what the broker's page posts, without cookies: the page that posts again. */
  postAgain = async (body) => {
    const { cookie: _, ...headers } = POST;
    const { error } = await this.#flow.callback({ method: "POST", headers, body });
    if (error !== null) throw error;
  };
}

/**
 * The code flow. The transport answers from memory, so the time is that of the library, without a network.
 */
export class CodeCallbacks {
  #broker;
  #transport;
  #flow;
  #cookie;
  #header;

  constructor(broker, transport, client) {
    const secret = randomBytes(32);
    this.#broker = broker;
    this.#transport = transport;
    this.#flow = new LoginFlow(client, { flow: "code", secret });
    this.#cookie = new SessionCookie(client, { secret });
    [this.#header] = this.#cookie.start(EMAIL)[1].split(";");
  }

  /** With the documents of a broker. */
  static async of(broker) {
    const transport = new MockTransport();
    for (const path of ["/.well-known/openid-configuration", "/keys.json"]) {
      const response = await fetch(`${broker.origin}${path}`);
      transport.respond(`${broker.origin}${path}`, await response.text());
    }
    const clock = new ManualClock(Date.now());
    const client = mockClient({ redirectUri: REDIRECT_URI, broker: broker.origin, clock, transport });
    return new CodeCallbacks(broker, transport, client);
  }

  /** Milliseconds for the callbacks of this number of logins. */
  async time(number) {
    let milliseconds = 0;
    for (let index = 0; index < number; index++) {
      const url = await started(this.#flow);
      const answer = JSON.stringify({ id_token: this.#broker.mint(JSON.stringify({ url })) });
      const headers = [["content-type", "application/json"]];
      this.#transport.respond(`${this.#broker.origin}/token`, answer, { headers });
      const query = new URLSearchParams({ code: "c", state: new URL(url).searchParams.get("state") }).toString();
      const start = performance.now();
      const { login } = await this.#flow.callback({ method: "GET", headers: GET, query });
      milliseconds += performance.now() - start;
      if (login === null) throw new Error("the login was not completed");
    }
    return milliseconds;
  }

  /** Milliseconds for reading this number of session cookies; the mean of ten times as many. */
  timeSessions(number) {
    if (this.#cookie.read(this.#header) === null) throw new Error("there is no session");
    const start = performance.now();
    for (let index = 0; index < 10 * number; index++) this.#cookie.read(this.#header);
    return (performance.now() - start) / 10;
  }
}

/** The URL of the broker for a login that starts. */
async function started(flow) {
  const { reply } = await flow.start({ method: "POST", headers: POST }, EMAIL);
  return new Map(reply.headers).get("location");
}
