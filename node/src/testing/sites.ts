import http, { type IncomingMessage, type RequestListener } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";

import { failure } from "./failure.js";

/** A request to the site under test. */
export interface SiteRequest {
  method: string;
  /** The address, as browsers see it. */
  url: URL;
  headers: Record<string, string>;
  body: string | undefined;
  /** Aborted if the response is late. */
  signal: AbortSignal;
}

export interface SiteReply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** The ways to reach a site. */
export interface Site {
  /** The origin, if the site has an address; otherwise that of its redirect URI. */
  readonly origin?: string;
  send(request: SiteRequest): Promise<SiteReply>;
}

/** The handler of a server of `node:http`: also an Express site, and what the method `callback` of Koa returns. */
export type Listener = RequestListener | ((request: never, response: never, ...rest: never[]) => unknown);

/** A handler of `fetch`. */
export type FetchHandler = (request: Request) => Response | undefined | Promise<Response | undefined>;

/** supertest's `request(app)` or `request.agent(app)`. */
export interface Supertest {
  get(url: string): unknown;
  post(url: string): unknown;
}

/** A site under test. */
export type App =
  | string
  | URL
  | Listener
  | FetchHandler
  | Supertest
  | { fetch(request: never, ...rest: never[]): unknown }
  | { inject(options: never, ...rest: never[]): unknown }
  | { callback(): Listener }
  | { getHttpServer(): unknown }
  | { listen(...args: never[]): unknown; address(): unknown };

/** Finds out how to send requests to a site. */
export function siteOf(app: App): Site {
  if (typeof app === "string") return running(new URL(app));
  if (typeof app === "function") {
    // Frameworks on `node:http` have methods of their own; their handlers take a response as well.
    return app.length > 1 || has(app, "handle") || has(app, "listen") ? listening(app as RequestListener) : fetching(app as FetchHandler);
  }
  if (typeof app !== "object" || app === null) throw notASite();
  if ("href" in app) return running(new URL(String(app)));
  if (has(app, "inject")) return injecting(app as Injects);
  if (has(app, "getHttpServer")) return siteOf((app as { getHttpServer(): App }).getHttpServer());
  if (has(app, "fetch")) {
    const { fetch } = app as { fetch: (request: Request) => unknown };
    return fetching((request: Request) => fetch.call(app, request));
  }
  if (has(app, "callback")) return listening((app as { callback(): RequestListener }).callback());
  if (has(app, "listen") && has(app, "address")) return serving(app as http.Server);
  if (has(app, "get") && has(app, "post")) return testing(app as Supertest);
  throw notASite();
}

function notASite(): TypeError {
  return new TypeError(
    "not a site: give a URL, a server or handler of node:http, a site of Express, Koa, Fastify, Hono or NestJS, a handler " +
      "of fetch, or supertest's request(app)",
  );
}

function has(value: object, name: string): boolean {
  return typeof Reflect.get(value, name) === "function";
}

/** A site at an address. */
function running({ origin }: URL): Site {
  return { origin, send: exchange };
}

/** A server of `node:http`, whether it listens or not. */
function serving(server: http.Server): Site {
  return {
    send(request) {
      const address = server.address();
      if (address === null) return served((incoming, outgoing) => server.emit("request", incoming, outgoing), request);
      const at = typeof address === "string" ? { socketPath: address } : reachable(address);
      return exchange(proxied(request), { ...at, isSecure: hasTls(server) });
    },
  };
}

/** Checks the class for Bun, and a method for servers of other classes. */
function hasTls(server: http.Server): boolean {
  return server instanceof https.Server || "setSecureContext" in server;
}

function reachable({ address, family, port }: AddressInfo): { host: string; port: number } {
  // Nobody can connect to the address that stands for all of them.
  const isAny = ["0.0.0.0", "::"].includes(address);
  return { host: isAny ? (family === "IPv6" ? "::1" : "127.0.0.1") : address, port };
}

/** A handler of `node:http`. */
function listening(listener: RequestListener): Site {
  return { send: (request) => served(listener, request) };
}

/** Sends a request to a server that listens for this request only, so that nothing stays open after a test. */
async function served(listener: RequestListener, request: SiteRequest): Promise<SiteReply> {
  const server = http.createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  try {
    return await exchange(proxied(request), { ...reachable(server.address() as AddressInfo), isSecure: false });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** The headers of a proxy in front of the site, which ends TLS. */
function proxied(request: SiteRequest): SiteRequest {
  const { host, protocol } = request.url;
  const headers: Record<string, string> = { ...request.headers, host };
  if (protocol === "https:") headers["x-forwarded-proto"] = "https";
  return { ...request, headers };
}

interface Place {
  host?: string;
  port?: number;
  socketPath?: string;
  isSecure: boolean;
}

/** Sends a request over the network: to the address of its URL, or elsewhere. */
export async function exchange(given: SiteRequest, place?: Place): Promise<SiteReply> {
  const { method, url, headers, body, signal } = given;
  const { host = url.hostname.replace(/^\[|\]$/g, ""), socketPath } = place ?? {};
  const isSecure = place?.isSecure ?? url.protocol === "https:";
  const port = place?.port ?? (url.port || undefined);
  const path = url.pathname + url.search;
  const options = { method, headers, path, agent: false as const, signal };
  // A server of this process may have a certificate of its own.
  const trust = isSecure && place !== undefined ? { rejectUnauthorized: false } : {};
  const to = socketPath === undefined ? { host, ...(port === undefined ? {} : { port }) } : { socketPath };
  return new Promise((resolve, reject) => {
    const request = (isSecure ? https : http).request({ ...options, ...to, ...trust });
    request.on("error", reject);
    request.on("response", (response) => readAll(response).then(resolve, reject));
    request.end(body);
  });
}

async function readAll(response: IncomingMessage): Promise<SiteReply> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() };
}

interface Injects {
  inject(options: object): Promise<{ statusCode: number; headers: SiteReply["headers"]; payload: string }>;
}

/** Fastify, and others with light-my-request's method `inject`. */
function injecting(app: Injects): Site {
  return {
    async send(request) {
      const { method, url, headers, body: payload } = proxied(request);
      const reply = await app.inject({ method, url: url.pathname + url.search, headers, payload });
      return { status: reply.statusCode, headers: reply.headers, text: reply.payload };
    },
  };
}

function fetching(handler: (request: Request) => unknown): Site {
  return {
    async send({ method, url, headers, body }) {
      const request = new Request(url, { method, headers, body: body ?? null, redirect: "manual" });
      const response = (await handler(request)) as Response | undefined;
      if (response === undefined || response === null) return { status: 404, headers: {}, text: "" };
      const cookies = response.headers.getSetCookie();
      const all = Object.fromEntries(response.headers) as SiteReply["headers"];
      if (cookies.length > 0) all["set-cookie"] = cookies;
      return { status: response.status, headers: all, text: await response.text() };
    },
  };
}

interface SupertestRequest extends PromiseLike<{ status: number; headers: SiteReply["headers"]; text?: string }> {
  readonly url: string;
  set(headers: Record<string, string>): this;
  redirects(number: number): this;
  ok(test: () => boolean): this;
  buffer(buffer: boolean): this;
  send(body: string): this;
}

/** supertest. The cookies of an agent are kept up to date. */
function testing(app: Supertest): Site {
  const { jar } = app as { jar?: { setCookie?(line: string, domain: string, path: string): unknown } };
  return {
    async send(request) {
      const { method, url, headers, body } = proxied(request);
      const name = method.toLowerCase();
      if (!has(app, name)) throw failure(`supertest has no method ${name}`);
      const open = Reflect.get(app, name) as (url: string) => SupertestRequest;
      const sent = open.call(app, url.pathname + url.search).redirects(0).ok(() => true).buffer(true).set(headers);
      const response = await (body === undefined ? sent : sent.send(body));
      // An agent speaks plain `http`, over which it does not send cookies with `Secure`. A proxy would speak `https`.
      for (const line of [response.headers["set-cookie"] ?? []].flat()) {
        const plain = line.replaceAll(/;\s*(?:secure|domain=[^;]*)(?=;|$)/gi, "");
        jar?.setCookie?.(plain, new URL(sent.url).hostname, "/");
      }
      return { status: response.status, headers: response.headers, text: response.text ?? "" };
    },
  };
}
