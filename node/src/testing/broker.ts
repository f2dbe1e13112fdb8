import { inspect } from "node:util";

import { unwrap } from "../call.js";
import { invalidOption } from "../errors.js";
import { native, type NativeBroker } from "../native.js";
import type { Algorithm } from "../protocol.js";
import { members } from "../text.js";
import { nativeClock, type Headers, type ManualClock } from "./mock.js";

/** How the broker answers: with a page that asks, by signing in at once, or by refusing at once. */
export type Mode = "page" | "accept" | "refuse";

/** Which of the broker's keys signs; a stranger was never published. */
export type KeyChoice = "current" | "next" | "previous" | "stranger";

/** How a {@link DevBroker} runs. */
export interface DevBrokerOptions {
  /**
   * The IP address it listens on; `127.0.0.1` by default. With one that is not of the loopback
   * interface, such as `0.0.0.0`, whoever reaches this machine can sign in as anyone.
   */
  host?: string | undefined;
  /** The port it listens on; 0, the default, takes any that is free. */
  port?: number | undefined;
  /**
   * The origin under which browsers and sites reach it, such as `http://localhost:3333`; made of
   * `host` and the port by default.
   */
  origin?: string | undefined;
  /** How it answers; `page` by default. */
  mode?: Mode | undefined;
  /** How long clients may keep its keys, in milliseconds; a day by default. */
  keysLifetimeMs?: number | undefined;
  /** Where it takes the time from; from the operating system by default. */
  clock?: ManualClock | undefined;
}

/** What a token says that is not the usual one. */
export interface MintOptions {
  /** What {@link PortierClient.authenticate} gave: the token answers that login. */
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
  /** Claims on top of the usual ones. */
  claims?: Readonly<Record<string, unknown>> | undefined;
  /** Claims to leave out. */
  removeClaims?: readonly string[] | undefined;
  /** Header members on top of the usual ones. */
  header?: Readonly<Record<string, unknown>> | undefined;
  /** Header members to leave out. */
  removeHeader?: readonly string[] | undefined;
  /** The text of the header, in place of all members. */
  rawHeader?: string | undefined;
  /** The text of the payload, in place of all claims. */
  rawPayload?: string | undefined;
}

/** A disturbance of the requests for one path. */
export interface Disturbance {
  /** How many requests are disturbed; 1 by default. */
  requests?: number | undefined;
  /** The status to answer with. */
  status?: number | undefined;
  /** How long requests wait, in milliseconds. */
  delayMs?: number | undefined;
  /** The headers to answer with. */
  headers?: Headers | undefined;
  /** The body to answer with. */
  body?: string | undefined;
}

/**
 * A Portier broker on this machine, for development and tests: anyone can sign in as anyone.
 *
 * It is an HTTP server in a thread of its own, from here until {@link stop}. It does not keep the
 * process running. By default only this machine can reach it.
 *
 * ```js
 * const broker = new DevBroker();
 * const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
 * const url = await client.authenticate("alice@example.com");
 * const email = await client.verify(broker.mint({ url })); // alice@example.com
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

  /** Its origin, for the `broker` of a client. */
  get origin(): string {
    return this.#native.origin;
  }

  /** The port it listens on. */
  get port(): number {
    return this.#native.port;
  }

  /** What a program should print when it starts the broker. */
  get banner(): string {
    return this.#native.banner;
  }

  /** Changes how it answers from now on. */
  setMode(mode: Mode): void {
    unwrap(this.#native.setMode(mode));
  }

  /** How many requests came in, by path. */
  requests(): Record<string, number> {
    return this.#native.requests();
  }

  /** Disturbs the next requests for a path; without a status and a body they are only delayed. */
  failNext(path: string, disturbance: Disturbance = {}): void {
    const { requests = 1, status, delayMs = 0, headers = [], body } = disturbance;
    const pairs = headers.map(([name, value]): [string, string] => [name, value]);
    unwrap(this.#native.failNext(path, requests, status, delayMs, pairs, body));
  }

  /** Lets requests for a path wait from now on; they count when they arrive. */
  hold(path: string): void {
    this.#native.hold(path);
  }

  /** Answers the requests that wait for a path. */
  release(path: string): void {
    this.#native.release(path);
  }

  /** Makes the next keys the current ones; those stay published until the next rotation. */
  rotateKeys(): void {
    unwrap(this.#native.rotateKeys());
  }

  /** Replaces all keys, as a broker does that is restarted without its key store. */
  forgetKeys(): void {
    unwrap(this.#native.forgetKeys());
  }

  /** The id of a key. */
  keyId(key: KeyChoice = "current", algorithm: Algorithm = "RS256"): string {
    return unwrap(this.#native.keyId(key, algorithm));
  }

  /** Gives a token without a browser. */
  mint(options: MintOptions = {}): string {
    const names = Object.entries(options).map(([name, value]) => [snakeCase(name), value]);
    return unwrap(this.#native.mint(JSON.stringify(Object.fromEntries(names))));
  }

  /** Stops the server; stopping it again does nothing. */
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
