import { inspect } from "node:util";

import { StoreError, invalidOption } from "../errors.js";
import { members, text } from "../text.js";
import type { Store } from "./custom.js";

/**
 * Keeps pending logins in Redis or Valkey, through a client that a site has already: one of the
 * npm package `redis` (version 3 and newer) or of `ioredis`, clusters included.
 *
 * `prefix` begins the name of every key, `portier:` by default; a `redis://` URL with the same
 * prefix names the same logins. The server has to be Redis 6.2 or newer, or Valkey. A login that was
 * completed is remembered for 20 minutes.
 *
 * Errors of the client are a {@link StoreError}: `store_full` if the server has no memory left,
 * else `store_unavailable`.
 */
export class RedisClientStore implements Store {
  readonly #commands: Commands;
  readonly #prefix: string;

  /** Uses a client; it stays the caller's, who closes it. */
  constructor(client: object, options: { prefix?: string | undefined } = {}) {
    const { prefix } = members(options, ["prefix"]);
    this.#prefix = prefix === undefined ? "portier:" : text(prefix, "prefix", "invalid_option");
    this.#commands = commandsOf(client);
  }

  /** Keeps a record unless there is one already. */
  async put(nonce: string, record: string, ttlMs: number): Promise<void> {
    const milliseconds = Math.max(1, Math.ceil(ttlMs));
    const reply = await this.#run((commands, key) => commands.set(key, record, milliseconds), nonce);
    if (reply !== null && reply !== undefined) return;
    throw new StoreError("the nonce was drawn before", { code: "store_failed" });
  }

  /** Removes a record and returns it; an empty string if it was taken before. */
  async take(nonce: string): Promise<string | null> {
    const reply = await this.#run(async (commands, key) => {
      try {
        return await commands.use(key);
      } catch (error) {
        // A server without memory writes nothing, but removing is still possible.
        if (!isFull(error)) throw error;
        return commands.remove(key);
      }
    }, nonce);
    const record = Buffer.isBuffer(reply) ? reply.toString() : reply;
    return record === undefined ? null : (record as string | null);
  }

  /** Says whether a record waits. */
  async contains(nonce: string): Promise<boolean> {
    return Number(await this.#run((commands, key) => commands.length(key), nonce)) > 0;
  }

  /** Does nothing: the client is the caller's. For code written for `portier`. */
  destroy(): void {}

  /** Shows no address of a server, which may come with a password. */
  [inspect.custom](): string {
    return `RedisClientStore { prefix: ${inspect(this.#prefix)} }`;
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

function isFull(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("OOM ");
}

/** What a login leaves behind that was completed; where a URL names the store, it is the same. */
const USED = "";

/** For how long it does: longer than its token is valid. */
const USED_FOR_MS = 20 * 60 * 1000;

/** What is asked of a server. Each of it is one command, which no other can come between. */
interface Commands {
  set(key: string, record: string, milliseconds: number): unknown;
  /** Takes what is there, and marks it as used. */
  use(key: string): unknown;
  remove(key: string): unknown;
  length(key: string): unknown;
}

type Methods = Record<string, (...parameters: unknown[]) => unknown>;

/** Whether this is a client of a package that is known. */
export function isRedisClient(value: unknown): value is object {
  return typeof value === "object" && value !== null && flavour(value) !== undefined;
}

function commandsOf(value: object): Commands {
  const commands = isRedisClient(value) ? flavour(value) : undefined;
  if (commands === undefined) throw invalidOption("client is neither of the package redis nor of ioredis");
  return commands;
}

function flavour(value: object): Commands | undefined {
  const has = (name: string): boolean => typeof Reflect.get(value, name) === "function";
  const client = value as Methods;
  // Of `redis` 3, which had only callbacks, and no method for each command.
  if (has("send_command")) {
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
  if (has("getDel") && has("strLen")) {
    return {
      set: (key, record, PX) => client["set"]?.(key, record, { NX: true, PX }),
      use: (key) => client["set"]?.(key, USED, { XX: true, GET: true, PX: USED_FOR_MS }),
      remove: (key) => client["getDel"]?.(key),
      length: (key) => client["strLen"]?.(key),
    };
  }
  if (has("getdel") && has("strlen")) {
    return {
      set: (key, record, milliseconds) => client["set"]?.(key, record, "PX", milliseconds, "NX"),
      use: (key) => client["set"]?.(key, USED, "PX", USED_FOR_MS, "XX", "GET"),
      remove: (key) => client["getdel"]?.(key),
      length: (key) => client["strlen"]?.(key),
    };
  }
  return undefined;
}
