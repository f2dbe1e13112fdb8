import { inspect } from "node:util";

import { unwrap } from "../call.js";
import { invalidOption } from "../errors.js";
import { native, type NativeBroker } from "../native.js";
import type { Algorithm } from "../protocol.js";
import { members } from "../text.js";
import { nativeClock, type Headers, type ManualClock } from "./mock.js";
import { running } from "./running.js";

/**
 * How the broker responds to a login: `page` shows a page that asks, and `mail` one that waits for the code or the link
 * of the mail in the inbox. The others respond at once: `accept` signs the person in, `refuse` cancels, `expired` signs
 * in with a token that has expired, `error:CODE` responds with this error, `as:ADDRESS` signs another person in.
 */
export type Mode = "page" | "mail" | "accept" | "refuse" | "expired" | `error:${string}` | `as:${string}`;

/** A mail that the real broker would have sent. */
export interface Mail {
  /** The address as it was typed. */
  readonly to: string;
  /** The origin of the site that asked. */
  readonly site: string;
  /** The code to type on the page that waits; spaces in it do not matter. */
  readonly code: string;
  /** The link to follow instead. */
  readonly link: string;
  /** When it was sent, in milliseconds since 1970. */
  readonly sentAt: number;
}

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
  /**
   * The clock of the broker alone. By default it is that of the operating system, and {@link DevBroker.advanceTime}
   * moves it.
   */
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
    running.add(this);
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

  /** The time of the broker, in milliseconds since 1970. */
  get now(): number {
    return this.#native.now;
  }

  /**
   * Stops the time of the broker and of its clients, now or at another time. The clients are all clients of this
   * process whose `broker` is this one's {@link origin}, whoever made them. Clients of other brokers are not affected,
   * and neither are `Date` and timers.
   *
   * Throws {@link ConfigError} (`invalid_option`) if the broker has a clock of its own, or if its origin is not on this
   * machine.
   */
  freezeTime(at?: number | Date): void {
    unwrap(this.#native.freezeTime(at === undefined ? undefined : Number(at)));
  }

  /** Moves the time of the broker and of its clients forward, frozen or not. See {@link freezeTime}. */
  advanceTime(milliseconds: number): void {
    unwrap(this.#native.advanceTime(milliseconds));
  }

  /** Returns to the time of the operating system; what has expired stays expired. */
  resumeTime(): void {
    this.#native.resumeTime();
  }

  /** Changes how it responds to logins. */
  setMode(mode: Mode): void {
    unwrap(this.#native.setMode(mode));
  }

  /**
   * Sets how it responds to the logins of an address, instead of its mode. In `pattern`, `*` stands for any text, as in
   * `*@example.com`. An address comes before a pattern, and a long pattern before a short one.
   */
  setAccount(pattern: string, mode: Mode): void {
    unwrap(this.#native.setAccount(pattern, mode));
  }

  /** Sets how it responds to the next logins, one after the other. */
  nextLogins(...modes: Mode[]): void {
    unwrap(this.#native.nextLogins(modes));
  }

  /** Closes connections without a response from now on, or serves them again. */
  setReachable(reachable: boolean): void {
    this.#native.setReachable(reachable);
  }

  /** Returns the last mails that the real broker would have sent, the newest one last. */
  inbox(): Mail[] {
    return this.#native.inbox();
  }

  /** Deletes all mails. Their links and codes do not work any more. */
  clearInbox(): void {
    this.#native.clearInbox();
  }

  /** Undoes everything except the rotation of keys, so that one broker serves many tests. */
  reset(): void {
    this.#native.reset();
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
    // The members of a string are its characters.
    if (typeof options !== "object" || options === null) throw invalidOption("mint takes an object, such as { url }");
    const names = Object.entries(options).map(([name, value]) => [snakeCase(name), value]);
    return unwrap(this.#native.mint(JSON.stringify(Object.fromEntries(names))));
  }

  /**
   * Signs a person in without a browser, and gives what the browser would bring back. `url` is what
   * {@link PortierClient.authenticate} gave. The members are the query of the redirect URI in the code flow,
   * and the form that is posted there in the implicit flow. Each call issues another code or token. `mode` is another
   * response, and `email` another address.
   *
   * Throws {@link ConfigError} (`invalid_option`) for a URL that the broker does not accept.
   */
  signIn(url: string, options: { mode?: Mode | undefined; email?: string | undefined } = {}): Record<string, string> {
    const { mode = "accept", email } = options;
    return Object.fromEntries(unwrap(this.#native.signIn(url, mode, email)));
  }

  /** Stops the server. Stopping it again does nothing. */
  stop(): void {
    running.delete(this);
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
