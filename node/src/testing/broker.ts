import { inspect } from "node:util";

import { unwrap } from "../call.js";
import { invalidOption } from "../errors.js";
import { native, type NativeBroker } from "../native.js";
import type { Algorithm } from "../protocol.js";
import { members } from "../text.js";
import { nativeClock, type Headers, type ManualClock } from "./mock.js";

/** How the broker responds to a login: it shows a page, signs in at once, or refuses at once. */
export type Mode = "page" | "accept" | "refuse";

/** The key that signs. `stranger` is a key that the broker never publishes. */
export type KeyChoice = "current" | "next" | "previous" | "stranger";

/** The options of a {@link DevBroker}. */
export interface DevBrokerOptions {
  /**
   * The IP address to listen on; `127.0.0.1` by default. With an address that is not of the loopback interface,
   * such as `0.0.0.0`, everyone who can reach this machine can sign in as anyone.
   */
  host?: string | undefined;
  /** The port to listen on; 0, the default, takes a free port. */
  port?: number | undefined;
  /**
   * The origin by which browsers and sites reach the broker, such as `http://localhost:3333`; by default it
   * consists of `host` and the port.
   */
  origin?: string | undefined;
  /** How it responds to logins; `page` by default. */
  mode?: Mode | undefined;
  /** How long clients may cache its keys, in milliseconds; a day by default. */
  keysLifetimeMs?: number | undefined;
  /** The clock of the broker; that of the operating system by default. */
  clock?: ManualClock | undefined;
}

/** The options of a token. By default it is valid. */
export interface MintOptions {
  /** The URL that {@link PortierClient.authenticate} returned, in the implicit flow. The token completes that login. */
  url?: string | undefined;
  /** The audience. */
  clientId?: string | undefined;
  /** The nonce of the login. */
  nonce?: string | undefined;
  /** The address as it was typed. */
  email?: string | undefined;
  /** The algorithm that signs. */
  algorithm?: Algorithm | undefined;
  /** The key that signs. */
  key?: KeyChoice | undefined;
  /** Further claims, or other values of the usual ones. */
  claims?: Readonly<Record<string, unknown>> | undefined;
  /** The names of claims to leave out. */
  removeClaims?: readonly string[] | undefined;
  /** Further members of the header, or other values of the usual ones. */
  header?: Readonly<Record<string, unknown>> | undefined;
  /** The names of header members to leave out. */
  removeHeader?: readonly string[] | undefined;
  /** The text of the header, instead of all members. */
  rawHeader?: string | undefined;
  /** The text of the payload, instead of all claims. */
  rawPayload?: string | undefined;
}

/** How requests for a path fail. */
export interface Disturbance {
  /** The number of requests; 1 by default. */
  requests?: number | undefined;
  /** The status of the response. */
  status?: number | undefined;
  /** How long the response is delayed, in milliseconds. */
  delayMs?: number | undefined;
  /** The headers of the response. */
  headers?: Headers | undefined;
  /** The body of the response. */
  body?: string | undefined;
}

/**
 * A Portier broker on this machine, for development and tests: anyone can sign in as anyone.
 *
 * It is an HTTP server in its own thread, until {@link stop} is called. It does not keep the process alive. By
 * default, only this machine can reach it.
 *
 * ```js
 * const broker = new DevBroker();
 * const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
 * const url = await client.authenticate("alice@example.com");
 * const { email } = await client.complete(broker.signIn(url)); // alice@example.com
 * broker.stop();
 * ```
 */
export class DevBroker {
  readonly #native: NativeBroker;

  /** Throws {@link ConfigError} (`invalid_option`) if the port is taken or an option is wrong. */
  constructor(options: DevBrokerOptions = {}) {
    const given = members(options, ["host", "port", "origin", "mode", "keysLifetimeMs", "clock"]);
    const port = Number(given.port ?? 0);
    if (!Number.isInteger(port) || port < 0 || port > 0xffff) {
      throw invalidOption(`a port is a number from 0 to 65535 port=${port}`);
    }
    this.#native = unwrap(
      native.spawnDevBroker(
        String(given.host ?? "127.0.0.1"),
        port,
        given.origin === undefined ? undefined : String(given.origin),
        String(given.mode ?? "page"),
        Number(given.keysLifetimeMs ?? 86_400_000),
        given.clock === undefined ? undefined : nativeClock(given.clock as ManualClock),
      ),
    );
  }

  /** The origin, for the option `broker` of a client. */
  get origin(): string {
    return this.#native.origin;
  }

  /** The port. */
  get port(): number {
    return this.#native.port;
  }

  /** The text that a program should print when it starts the broker. */
  get banner(): string {
    return this.#native.banner;
  }

  /** Changes how it responds to logins. */
  setMode(mode: Mode): void {
    unwrap(this.#native.setMode(mode));
  }

  /** The number of requests, by path. */
  requests(): Record<string, number> {
    return this.#native.requests();
  }

  /** Makes the next requests for a path fail. Without a status and a body, they are only delayed. */
  failNext(path: string, disturbance: Disturbance = {}): void {
    const { requests = 1, status, delayMs = 0, headers = [], body } = disturbance;
    const pairs = headers.map(([name, value]): [string, string] => [name, value]);
    unwrap(this.#native.failNext(path, requests, status, delayMs, pairs, body));
  }

  /** Makes requests for a path wait. They are counted when they arrive. */
  hold(path: string): void {
    this.#native.hold(path);
  }

  /** Responds to the requests for a path that wait. */
  release(path: string): void {
    this.#native.release(path);
  }

  /** Makes the next keys the current ones. The old keys stay published until the next rotation. */
  rotateKeys(): void {
    unwrap(this.#native.rotateKeys());
  }

  /** Replaces all keys, as a restart of a broker without its key store does. */
  forgetKeys(): void {
    unwrap(this.#native.forgetKeys());
  }

  /** Returns the id of a key. */
  keyId(key: KeyChoice = "current", algorithm: Algorithm = "RS256"): string {
    return unwrap(this.#native.keyId(key, algorithm));
  }

  /** Returns a signed token, without a browser. */
  mint(options: MintOptions = {}): string {
    const names = Object.entries(options).map(([name, value]) => [snakeCase(name), value]);
    return unwrap(this.#native.mint(JSON.stringify(Object.fromEntries(names))));
  }

  /**
   * Signs a person in without a browser, and gives what the browser would bring back. `url` is what
   * {@link PortierClient.authenticate} gave. The members are the query of the redirect URI in the code flow,
   * and the form that is posted there in the implicit flow. Each call issues another code or token.
   *
   * Throws {@link ConfigError} (`invalid_option`) for a URL that the broker does not accept.
   */
  signIn(url: string): Record<string, string> {
    return Object.fromEntries(unwrap(this.#native.signIn(url)));
  }

  /** Stops the server. Stopping it again does nothing. */
  stop(): void {
    this.#native.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
  }

  [inspect.custom](): string {
    return `DevBroker { origin: ${inspect(this.origin)} }`;
  }
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
