// Shared code of the sites in JavaScript: commands of the tests, and the client of a case.
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { json } from "node:stream/consumers";
import { setImmediate as soon } from "node:timers/promises";

/** Helpers from the tests of the package. */
export const require = createRequire(path.resolve(import.meta.dirname, "../../../node/package.json"));

const { MockTransport, ManualClock, mockClient } = require("portier-client/testing");
const { ConfigError } = require("portier-client");

/** A broker without documents. */
const NOWHERE = "http://127.0.0.1:9";

/** Serves a site. `makeApp` gets the options of the integration and the site, and returns a request listener. */
export async function serve(makeApp) {
  const site = createServer();
  const here = new Site(makeApp, site);
  const control = createServer(async (request, response) => {
    const answer = await here.tell(request.url, await json(request));
    response.end(JSON.stringify(answer ?? {}));
  });
  for (const server of [site, control]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  console.log(`ready ${site.address().port} ${control.address().port}`);
  process.once("SIGTERM", () => process.exit(0));
}

class Site {
  #makeApp;
  #server;
  #made;
  #next = {};
  #seen = {};
  #before = 0;
  #late = () => {};

  constructor(makeApp, server) {
    this.#makeApp = makeApp;
    this.#server = server;
  }

  /** Executes a command of the tests. */
  tell(path, members) {
    const acts = {
      "/case": () => this.#start(members),
      "/step": () => this.#expect(members),
      "/seen": () => ({ error: null, login: null, hooks: [], token_requests: this.#tokenRequests, ...this.#seen }),
      "/late": async () => {
        this.#late();
        await soon();
      },
      "/advance": () => this.#made.clock.advance(members.seconds * 1000),
      "/authenticate": async () => {
        return { url: await this.#made.client.authenticate("alice@example.com", members) };
      },
    };
    return acts[path]();
  }

  /** Whether the site sets its own cookie with every response. */
  setsCookies = false;

  /** The site's own form, which starts the next login. */
  get start() {
    return this.#next.start;
  }

  async #start(given) {
    this.#made = makeClient(given);
    this.setsCookies = given.sets_cookies;
    const { client, options } = this.#made;
    try {
      const app = await this.#makeApp({ client, ...this.#hooks(), ...options }, this);
      this.#server.removeAllListeners("request").on("request", app);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { refused: error.code };
    }
    return { refused: null };
  }

  #expect(next) {
    const { tokenEndpoint, transport } = this.#made;
    const [status, text] = next.token_answer;
    transport.respond(tokenEndpoint, text, { status, headers: [["content-type", "application/json"]] });
    this.#before = transport.requests(tokenEndpoint);
    this.#next = next;
    this.#seen = {};
    if (this.#made.store !== undefined) this.#made.store.isDown = next.store_is_down;
  }

  /** How often the broker was asked for a token since. */
  get #tokenRequests() {
    const { tokenEndpoint, transport } = this.#made;
    return transport.requests(tokenEndpoint) - this.#before;
  }

  #hooks() {
    return {
      onLogin: ({ email, sameBrowser, session, state }, request, response) => {
        this.#seen.login = { email, same_browser: sameBrowser, session, state };
        return this.#act("on_login", response);
      },
      onLoginError: ({ code }, request, response) => {
        this.#seen.error = code;
        return this.#act("on_login_error", response);
      },
      showProblem: (problem, request, response) => this.#act("show_problem", response),
      showConfirmation: (question, request, response) => this.#act("show_confirmation", response),
    };
  }

  /** Does in a hook what the instructions say. */
  #act(name, response) {
    (this.#seen.hooks ??= []).push(name);
    const { does, text, status } = this.#next.hooks?.[name] ?? {};
    const acts = {
      throw() {
        throw new Error("the site has failed");
      },
      answer: () => response.status(status).send(text),
      "answer in a moment": async () => {
        await soon();
        response.status(status).send(text);
      },
      "set a cookie": () => {
        // A method of Express. In Fastify, `header` keeps the cookies that are set already.
        (response.append ?? response.header).call(response, "set-cookie", "email=1; Path=/");
      },
      "give a page": () => text,
      "answer too late": () => {
        this.#late = () => setImmediate(() => response.status(status).send(text));
      },
    };
    return acts[does]?.();
  }
}

function makeClient({ options, has_switched_store: isSwitched, broker, documents, now }) {
  const { redirect_uri: redirectUri, response_mode, session_ttl, broker: down, ...rest } = options;
  const clock = new ManualClock(now * 1000);
  const transport = new MockTransport();
  for (const [url, text] of Object.entries(documents)) transport.respond(url, text);
  const store = isSwitched ? new SwitchedStore() : undefined;
  const client = mockClient({
    redirectUri,
    broker: down === undefined ? broker : NOWHERE,
    ...(response_mode && { responseMode: response_mode }),
    ...(session_ttl && { sessionTtlMs: session_ttl * 1000 }),
    ...(store && { store }),
    clock,
    transport,
  });
  const tokenEndpoint = `${broker}/token`;
  return { client, clock, store, transport, tokenEndpoint, options: inCamelCase({ flow: "implicit", ...rest }) };
}

/** A store that can be unavailable. */
class SwitchedStore {
  isDown = false;
  #records = new Map();

  put(nonce, record) {
    this.#check();
    this.#records.set(nonce, record);
  }

  take(nonce) {
    this.#check();
    const record = this.#records.get(nonce);
    if (record !== undefined) this.#records.set(nonce, "");
    return record;
  }

  #check() {
    if (this.isDown) throw new Error("the store is down");
  }
}

function inCamelCase(options) {
  const name = (text) => text.replaceAll(/_(.)/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [name(key), value]));
}
