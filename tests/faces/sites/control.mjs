// Shared code of the sites in JavaScript: commands of the tests, and the client of a case.
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import net from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { setImmediate as soon } from "node:timers/promises";

/** Helpers from the tests of the package. */
export const require = createRequire(path.resolve(import.meta.dirname, "../../../node/package.json"));

const { MockTransport, ManualClock, mockClient } = require("portier-client/testing");
const { ConfigError, LoginRefused } = require("portier-client");

/** A broker without documents. */
const NOWHERE = "http://127.0.0.1:9";

/** How hooks respond in Express and Fastify: they write to the response. */
const WRITES = {
  respond: (status, text, request, response) => response.status(status).send(text),
  // A method of Express. In Fastify, `header` keeps the cookies that are set already.
  setCookie: (cookie, request, response) => (response.append ?? response.header).call(response, "set-cookie", cookie),
};

/** How hooks respond where they return a `Response` of `fetch`. */
export const RETURNS = {
  respond: (status, text) => new Response(text, { status }),
  setCookie: (cookie) => new Response(null, { status: 303, headers: { location: "/", "set-cookie": cookie } }),
};

/**
 * Serves a site. `makeApp` gets the options of the integration and the site, and returns what `listen` takes. `hooks` says
 * how they respond.
 */
export async function serve(makeApp, { hooks = WRITES, listen = listenForNode } = {}) {
  const here = new Site(makeApp, hooks);
  const control = net.createServer(async (connection) => {
    for await (const line of createInterface({ input: connection })) {
      const answer = await here.tell(...JSON.parse(line));
      connection.write(`${JSON.stringify(answer ?? {})}\n`);
    }
  });
  const ports = [await listen(here), await portOf(control)];
  console.log(`ready ${ports.join(" ")}`);
  process.once("SIGTERM", () => process.exit(0));
}

/** Applications are listeners of `node:http`. */
async function listenForNode(site) {
  return portOf(createServer((request, response) => site.app(request, response)));
}

/** Applications are handlers of `fetch`, on the server of the runtime. */
export async function listenForFetch(site) {
  const at = { hostname: "127.0.0.1", port: 0 };
  if ("Bun" in globalThis) return globalThis.Bun.serve({ ...at, fetch: (request) => site.app(request) }).port;
  if ("Deno" in globalThis) return globalThis.Deno.serve({ ...at, onListen() {} }, (request) => site.app(request)).addr.port;
  const { getRequestListener } = require("@hono/node-server");
  return portOf(createServer(getRequestListener((request) => site.app(request))));
}

async function portOf(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}

class Site {
  #makeApp;
  #manner;
  #made;
  #next = {};
  #seen = {};
  #before = 0;
  #late = () => {};

  constructor(makeApp, manner) {
    this.#makeApp = makeApp;
    this.#manner = manner;
  }

  /** The application of the current case. */
  app;

  /** Executes a command of the tests. */
  tell(command, members) {
    const acts = {
      case: () => this.#start(members),
      step: () => this.#expect(members),
      seen: () => ({ error: null, login: null, hooks: [], token_requests: this.#tokenRequests, ...this.#seen }),
      late: async () => {
        this.#late();
        await soon();
      },
      advance: () => this.#made.clock.advance(members.seconds * 1000),
      authenticate: async () => {
        return { url: await this.#made.client.authenticate("alice@example.com", members) };
      },
    };
    return acts[command]();
  }

  /** Whether the site sets its own cookie with every response. */
  setsCookies = false;

  /** Whether the site refuses the next login. */
  get refuses() {
    return this.#next.hooks?.on_login?.does === "refuse";
  }

  /** The site's own form, which starts the next login. */
  get start() {
    return this.#next.start;
  }

  async #start(given) {
    // A test may send its first request without instructions.
    [this.#next, this.#seen] = [{}, {}];
    this.#made = makeClient(given);
    this.setsCookies = given.sets_cookies;
    const { client, options } = this.#made;
    try {
      this.app = await this.#makeApp({ client, ...this.#hooks(), ...options }, this);
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
      onLogin: ({ email, sameBrowser, session, state }, ...rest) => {
        this.#seen.login = { email, same_browser: sameBrowser, session, state };
        return this.#act("on_login", rest);
      },
      onLoginError: ({ code }, ...rest) => {
        this.#seen.error = code;
        return this.#act("on_login_error", rest);
      },
      showProblem: (problem, ...rest) => this.#act("show_problem", rest),
      showConfirmation: (question, ...rest) => this.#act("show_confirmation", rest),
    };
  }

  /** Does in a hook what the instructions say. */
  #act(name, rest) {
    (this.#seen.hooks ??= []).push(name);
    const { does, text, status, code } = this.#next.hooks?.[name] ?? {};
    const { respond, setCookie } = this.#manner;
    const acts = {
      throw() {
        throw new Error("the site has failed");
      },
      refuse() {
        throw new LoginRefused(undefined, { code });
      },
      answer: () => respond(status, text, ...rest),
      "answer in a moment": async () => {
        await soon();
        return respond(status, text, ...rest);
      },
      "set a cookie": () => setCookie("email=1; Path=/", ...rest),
      "give a page": () => text,
      "answer too late": () => {
        this.#late = () => setImmediate(() => respond(status, text, ...rest));
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
