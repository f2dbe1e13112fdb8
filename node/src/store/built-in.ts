import { inspect } from "node:util";

import { trustExtraAuthorities } from "../authorities.js";
import { unwrap } from "../call.js";
import { invalidOption, type ConfigError } from "../errors.js";
import { native, type NativeStore } from "../native.js";
import { members, text } from "../text.js";
import type { AbstractStore } from "./abstract.js";
import { customStore, type Store } from "./custom.js";
import { RedisClientStore, isRedisClient } from "./redis-client.js";

/** The property with the addon's part of a store, for all copies of this package. */
const NATIVE = Symbol.for("portier-client.store");

/** The value of that property: the copy of the addon that the store belongs to, and the store. */
interface NativePart {
  readonly imageId: string;
  readonly store: NativeStore;
}

const IMAGE_ID = native.imageId();

const CLIENT = Symbol("client");

/** The property with the name of a store's class, for all copies of this package. */
const KIND = Symbol.for("portier-client.store.kind");

/** A store of this package. `console.log` does not show its URL, which may contain a password. */
abstract class BuiltInStore {
  /** @internal */
  constructor(store: NativeStore) {
    const value: NativePart = { imageId: IMAGE_ID, store };
    Object.defineProperty(this, NATIVE, { value });
  }

  /** Does nothing: the garbage collector frees a store. For code written for `portier`. */
  destroy(): void {}

  [inspect.custom](): string {
    return `${String(Reflect.get(this, KIND))} {}`;
  }

  /** Whether `value` is such a store, of any copy of this package. */
  static [Symbol.hasInstance](value: unknown): boolean {
    const prototype = this.prototype as object;
    if (Object.prototype.isPrototypeOf.call(prototype, Object(value))) return true;
    return (
      Object.hasOwn(prototype, KIND) &&
      nativePart(value) !== undefined &&
      Reflect.get(Object(value), KIND) === Reflect.get(prototype, KIND)
    );
  }
}

/**
 * Keeps pending logins in the memory of this process, and returns each once.
 *
 * The number of logins is bounded. If the store is full, it refuses new logins (`store_full`) and does not evict
 * any. Every call takes constant time. Clients may share a store.
 */
export class MemoryStore extends BuiltInStore {
  /** Creates an empty store. `capacity` is the number of logins that may be pending, 100,000 by default. */
  constructor(options: { capacity?: number | undefined } = {}) {
    const { capacity } = members(options, ["capacity"]);
    if (capacity !== undefined && !isCapacity(capacity)) {
      throw invalidOption("capacity is not a whole number from 1 to 4294967295");
    }
    super(native.memoryStore(capacity));
  }
}

/** Keeps pending logins in an SQLite file, for all processes of one machine. */
export class SqliteStore extends BuiltInStore {
  /** Opens the store of a `sqlite:` URL. Throws {@link ConfigError} (`invalid_option`). */
  constructor(url: string) {
    super(openStore(url, "sqlite"));
  }
}

/** Keeps pending logins in Redis or Valkey, for several machines. */
export class RedisStore extends BuiltInStore {
  /**
   * Creates the store of a `redis:`, `rediss:` or `valkey:` URL. It connects at its first use. A client is also
   * accepted, as in `portier`: see {@link RedisClientStore}. Throws {@link ConfigError} (`invalid_option`).
   */
  constructor(urlOrClient: string | object) {
    if (isRedisClient(urlOrClient)) {
      const store = new RedisClientStore(urlOrClient);
      super(customStore(store));
      // The addon does not reference it.
      Object.defineProperty(this, CLIENT, { value: store });
    } else {
      super(openStore(urlOrClient, "redis"));
    }
  }
}

/** A store that the option {@link PortierClientOptions.store} takes. */
export type AnyStore = MemoryStore | SqliteStore | RedisStore | Store | AbstractStore;

/** Returns the store of the option `store`. */
export function readStore(value: unknown): AnyStore {
  if (value === undefined || value === null) return new MemoryStore();
  // Messages do not contain the value, which may be a URL with a password.
  if (typeof value === "function") throw invalidOption("store is a class; give an instance of it");
  if (typeof value === "object") {
    nativeStore(value as AnyStore);
    return value as AnyStore;
  }
  if (typeof value !== "string") throw invalidOption("store is neither a store nor the URL of one");
  switch (kindOf(value)) {
    case "memory":
      return new MemoryStore();
    case "sqlite":
      return new SqliteStore(value);
    case "redis":
      return new RedisStore(value);
    case undefined:
      throw unknownUrl();
  }
}

/** Returns the addon's part of a store. */
export function nativeStore(store: AnyStore): NativeStore {
  const known = nativePart(store);
  if (known === undefined) return customStore(store);
  if (known.imageId === IMAGE_ID) return known.store;
  throw invalidOption("store was made by another copy of portier-client than the client");
}

function openStore(url: unknown, kind: "sqlite" | "redis"): NativeStore {
  const checked = text(url, "store", "invalid_option");
  if (kindOf(checked) !== kind) throw unknownUrl();
  trustExtraAuthorities();
  return unwrap(native.openStore(checked));
}

/** The kind of a URL, by its scheme. The core checks the rest. */
function kindOf(url: string): "memory" | "sqlite" | "redis" | undefined {
  if (url === "memory:") return "memory";
  if (url.startsWith("sqlite:")) return "sqlite";
  return /^(redis|valkey)[a-z+-]*:/.test(url) ? "redis" : undefined;
}

function unknownUrl(): ConfigError {
  return invalidOption(
    "store is not the URL of a store, such as sqlite:////var/lib/site/logins.db, redis://localhost:6379 or memory:, " +
      "without white space",
  );
}

/** Whether a value is a store of this package. */
export function isBuiltIn(value: unknown): value is object {
  return nativePart(value) !== undefined;
}

function nativePart(value: unknown): NativePart | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, NATIVE)) return undefined;
  return Reflect.get(value, NATIVE) as NativePart;
}

function isCapacity(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 0xffff_ffff;
}

// These names survive minification.
for (const [name, { prototype }] of Object.entries({ MemoryStore, SqliteStore, RedisStore })) {
  Object.defineProperty(prototype, KIND, { value: name });
}
