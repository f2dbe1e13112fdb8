import { isUtf8 } from "node:buffer";
import { inspect } from "node:util";

import { StoreError, invalidOption } from "../errors.js";
import { native } from "../native.js";
import { members, text, typeName } from "../text.js";
import type { Store } from "./custom.js";

/**
 * Keeps pending logins in Redis or Valkey, through an existing client of the npm package `redis` (version 3 or
 * newer) or `ioredis`, also of a cluster.
 *
 * All keys begin with `prefix`, `portier:` by default. A `redis://` URL with the same prefix is the same store.
 * The server must be Redis 6.2 or newer, or Valkey. A completed login is remembered for 20 minutes.
 *
 * Clients that cannot be used are refused when the store is created: clients with callbacks (`legacyMode`,
 * `legacy()`), clients that have subscribed, transactions and pipelines.
 *
 * Errors of the client become a {@link StoreError}: `store_full` if the server has no memory left, else
 * `store_unavailable`.
 */
export class RedisClientStore implements Store {
  readonly #commands: Commands;
  readonly #prefix: string;

  /** Uses a client, which the caller closes. */
  constructor(client: object, options: { prefix?: string | undefined } = {}) {
    const { prefix } = members(options, ["prefix"]);
    this.#prefix = prefix === undefined ? "portier:" : text(prefix, "prefix", "invalid_option");
    this.#commands = commandsOf(client);
  }

  /** Stores a record; fails if there is one for this nonce. */
  async put(nonce: string, record: string, ttlMs: number): Promise<void> {
    const milliseconds = Math.max(1, Math.ceil(ttlMs));
    const reply = await this.#run((commands, key) => commands.set(key, record, milliseconds), nonce);
    if (reply === null) throw failed("a login is pending under this nonce already");
    if (textOf(reply) !== "OK") throw unexpected("SET", reply);
  }

  /** Removes a record and returns it; an empty string if it was removed before. */
  async take(nonce: string): Promise<string | null> {
    // The client reads a value completely, whatever its length.
    if ((await this.#length(nonce)) > MAX_RECORD_LENGTH) {
      throw failed("redis holds a value that is too long to be a record");
    }
    const reply = await this.#run(async (commands, key) => {
      try {
        return await commands.use(key);
      } catch (error) {
        // A server without memory refuses to write, but not to remove.
        if (!isFull(error)) throw error;
        return commands.remove(key);
      }
    }, nonce);
    if (reply === null) return null;
    return textOf(reply) ?? raise(unexpected("SET", reply));
  }

  /** Whether there is a record. */
  async contains(nonce: string): Promise<boolean> {
    return (await this.#length(nonce)) > 0;
  }

  /** Does nothing: the caller closes the client. For code written for `portier`. */
  destroy(): void {}

  /** Does not show the address of the server, which may contain a password. */
  [inspect.custom](): string {
    return `RedisClientStore { prefix: ${inspect(this.#prefix)} }`;
  }

  async #length(nonce: string): Promise<number> {
    const reply = await this.#run((commands, key) => commands.length(key), nonce);
    const length = Number(typeof reply === "number" || typeof reply === "bigint" ? reply : textOf(reply) || NaN);
    return Number.isInteger(length) ? length : raise(unexpected("STRLEN", reply));
  }

  async #run(command: (commands: Commands, key: string) => unknown, nonce: string): Promise<unknown> {
    try {
      return await command(this.#commands, `${this.#prefix}session:${nonce}`);
    } catch (cause) {
      const name = cause instanceof Error ? cause.constructor.name : typeof cause;
      throw new StoreError(`the redis client raised an exception type=${name}`, {
        code: isFull(cause) ? "store_full" : "store_unavailable",
        cause,
      });
    }
  }
}

/** A longer value is not a record of a client. */
const MAX_RECORD_LENGTH = native.maxRecordLength();

/** The text of a reply. Some clients return bytes. */
function textOf(reply: unknown): string | undefined {
  if (typeof reply === "string") return reply;
  if (!(reply instanceof Uint8Array)) return undefined;
  const bytes = Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength);
  return isUtf8(bytes) ? bytes.toString() : undefined;
}

/** The error for a reply of the wrong type, for example of a client with callbacks, which returns `undefined`. */
function unexpected(command: string, reply: unknown): StoreError {
  const fact = "the redis client returned something that the command does not";
  return failed(`${fact} command=${command} type=${typeName(reply)}`);
}

function failed(message: string): StoreError {
  return new StoreError(message, { code: "store_failed" });
}

function raise(error: Error): never {
  throw error;
}

function isFull(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("OOM ");
}

/** Replaces the record of a completed login. Stores that a URL names use the same value. */
const USED = "";

/** How long a completed login is remembered: longer than its token is valid. */
const USED_FOR_MS = 20 * 60 * 1000;

/** The operations. Each is a single command, and therefore atomic. */
interface Commands {
  set(key: string, record: string, milliseconds: number): unknown;
  /** Returns the record, and marks it as used. */
  use(key: string): unknown;
  remove(key: string): unknown;
  length(key: string): unknown;
}

type Methods = Record<string, (...parameters: unknown[]) => unknown>;

/** Whether a value has the methods of a client of Redis. */
export function isRedisClient(value: unknown): value is object {
  return typeof value === "object" && value !== null && flavour(value) !== undefined;
}

function commandsOf(value: unknown): Commands {
  const given = `given=${typeName(value)}`;
  if (typeof value !== "object" || value === null) {
    throw invalidOption(`client is not a client of the package redis or of ioredis ${given}`);
  }
  if (has(value, "then")) throw invalidOption(`client is a promise; await it first ${given}`);
  const commands = flavour(value);
  if (commands === undefined) {
    throw invalidOption(`client is not a client of the package redis or of ioredis ${given}`);
  }
  const problem = problemOf(value);
  if (problem !== undefined) throw invalidOption(`${problem} ${given}`);
  return commands;
}

/** Why a client with these methods cannot be used. */
function problemOf(client: object): string | undefined {
  if (member(client, "isPipeline") === true || has(client, "execAsPipeline") || has(client, "exec_atomic")) {
    return "client is a transaction or a pipeline; give the client that made it";
  }
  if (member(member(client, "options"), "legacyMode") === true) {
    return "client is in legacyMode, where methods return no promises; give its member v4";
  }
  // A legacy client of `redis` 5 has only methods for commands, with callbacks.
  const isKnown = has(client, "connect") || has(client, "send_command") || isPlain(client);
  if (has(client, "sendCommand") && !isKnown) {
    return "client is a legacy client, whose methods return no promises; give the client that made it";
  }
  const mode = member(client, "mode");
  const subscribes =
    mode === "subscriber" || mode === "monitor" || Boolean(member(client, "pub_sub_mode"));
  const speaksBoth = member(member(client, "options"), "RESP") === 3;
  if (subscribes || (member(client, "isPubSubActive") === true && !speaksBoth)) {
    return "client has subscribed, and can do nothing else; give another one, such as its duplicate()";
  }
  return undefined;
}

function has(value: object, name: string): boolean {
  return typeof member(value, name) === "function";
}

function member(value: unknown, name: string): unknown {
  try {
    return Reflect.get(Object(value), name);
  } catch {
    return undefined;
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function flavour(value: object): Commands | undefined {
  const client = value as Methods;
  // A client of `redis` 3 has only callbacks, and not a method for each command.
  if (has(value, "send_command")) {
    const send = (name: string, ...parameters: string[]): Promise<unknown> =>
      new Promise((resolve, reject) => {
        client["send_command"]?.(name, parameters, (error: unknown, reply: unknown) =>
          error ? reject(error) : resolve(reply),
        );
      });
    return {
      set: (key, record, milliseconds) => send("SET", key, record, "PX", String(milliseconds), "NX"),
      use: (key) => send("SET", key, USED, "XX", "GET", "PX", String(USED_FOR_MS)),
      remove: (key) => send("GETDEL", key),
      length: (key) => send("STRLEN", key),
    };
  }
  if (has(value, "getDel") && has(value, "strLen") && has(value, "set")) {
    return {
      set: (key, record, PX) => client["set"]?.(key, record, { NX: true, PX }),
      use: (key) => client["set"]?.(key, USED, { XX: true, GET: true, PX: USED_FOR_MS }),
      remove: (key) => client["getDel"]?.(key),
      length: (key) => client["strLen"]?.(key),
    };
  }
  if (has(value, "getdel") && has(value, "strlen") && has(value, "set")) {
    return {
      set: (key, record, milliseconds) => client["set"]?.(key, record, "PX", milliseconds, "NX"),
      use: (key) => client["set"]?.(key, USED, "PX", USED_FOR_MS, "XX", "GET"),
      remove: (key) => client["getdel"]?.(key),
      length: (key) => client["strlen"]?.(key),
    };
  }
  return undefined;
}
