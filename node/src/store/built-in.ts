import { inspect } from "node:util";

import { trustExtraAuthorities } from "../authorities.js";
import { unwrap } from "../call.js";
import { invalidOption, type ConfigError } from "../errors.js";
import { native, type NativeStore } from "../native.js";
import { members, text } from "../text.js";
import type { AbstractStore } from "./abstract.js";
import { customStore, type Store } from "./custom.js";
import { RedisClientStore, isRedisClient } from "./redis-client.js";

/** The property that holds the addon's part of a store; every copy of this package can read it. */
const NATIVE = Symbol.for("portier-client.store");

/** The value of that property: the copy of the addon, and the store. */
interface Owned {
  readonly image: string;
  readonly store: NativeStore;
}

const IMAGE = native.imageId();

const CLIENT = Symbol("client");

/** The name of a store's class, which every copy of this package can read. */
const KIND = Symbol.for("portier-client.store.kind");

/** A built-in store. Printing one shows nothing of its URL, which may contain a password. */
abstract class BuiltInStore {
  /** @internal */
  constructor(store: NativeStore) {
    const value: Owned = { image: IMAGE, store };
    Object.defineProperty(this, NATIVE, { value });
  }

  /** Does nothing: a store is released when it is no longer used. For code that was written for npm `portier`. */
  destroy(): void {}

  [inspect.custom](): string {
    return `${String(Reflect.get(this, KIND))} {}`;
  }

  /** Whether `value` is a built-in store of any copy of this package. */
  static [Symbol.hasInstance](value: unknown): boolean {
    const prototype = this.prototype as object;
    if (Object.prototype.isPrototypeOf.call(prototype, Object(value))) return true;
    return (
      Object.hasOwn(prototype, KIND) &&
      owned(value) !== undefined &&
      Reflect.get(Object(value), KIND) === Reflect.get(prototype, KIND)
    );
  }
}

/**
 * Keeps pending logins in the memory of this process, and returns each once.
 *
 * It holds a limited number, and refuses more (`store_full`) instead of dropping a login. All calls take constant
 * time. Clients may share a store.
 */
export class MemoryStore extends BuiltInStore {
  /** Makes an empty store for at most `capacity` pending logins, 100,000 by default. */
  constructor(options: { capacity?: number | undefined } = {}) {
    const { capacity } = members(options, ["capacity"]);
    if (capacity !== undefined && !isCapacity(capacity)) {
      throw invalidOption("capacity is not a whole number from 1 to 4294967295");
    }
    super(native.memoryStore(capacity));
  }
}

/** Keeps pending logins in an SQLite file, for the processes of one machine. */
export class SqliteStore extends BuiltInStore {
  /** Opens the store of a `sqlite:` URL. Throws {@link ConfigError} (`invalid_option`). */
  constructor(url: string) {
    super(opened(url, SqliteStore));
  }
}

/** Keeps pending logins in Redis or Valkey, for any number of machines. */
export class RedisStore extends BuiltInStore {
  /**
   * Makes the store of a `redis:`, `rediss:` or `valkey:` URL; it connects on first use. A Redis client is accepted
   * as well, as in npm `portier`; see {@link RedisClientStore}. Throws {@link ConfigError} (`invalid_option`).
   */
  constructor(urlOrClient: string | object) {
    if (isRedisClient(urlOrClient)) {
      const store = new RedisClientStore(urlOrClient);
      super(customStore(store));
      // The addon does not hold a reference to it.
      Object.defineProperty(this, CLIENT, { value: store });
    } else {
      super(opened(urlOrClient, RedisStore));
    }
  }
}

/** A value for {@link PortierClientOptions.store}. */
export type AnyStore = MemoryStore | SqliteStore | RedisStore | Store | AbstractStore;

/** Returns the store for the option `store`. */
export function readStore(value: unknown): AnyStore {
  if (value === undefined || value === null) return new MemoryStore();
  // The message must not show the value, which may be a URL with a password.
  if (typeof value === "function") throw invalidOption("store is a class; give an instance of it");
  if (typeof value === "object") {
    nativeStore(value as AnyStore);
    return value as AnyStore;
  }
  if (typeof value !== "string") throw invalidOption("store is neither a store nor the URL of one");
  const Class = classOf(value);
  if (Class === undefined) throw unknownUrl();
  return Class === MemoryStore ? new MemoryStore() : new Class(value);
}

/** The addon's part of the store. */
export function nativeStore(store: AnyStore): NativeStore {
  const known = owned(store);
  if (known === undefined) return customStore(store);
  if (known.image === IMAGE) return known.store;
  throw invalidOption("store was made by another copy of portier-client than the client");
}

function opened(url: unknown, Class: typeof SqliteStore | typeof RedisStore): NativeStore {
  const checked = text(url, "store", "invalid_option");
  if (classOf(checked) !== Class) throw unknownUrl();
  trustExtraAuthorities();
  return unwrap(native.openStore(checked));
}

/** The store class for the scheme of a URL; the core checks the URL. */
function classOf(url: string): typeof MemoryStore | typeof SqliteStore | typeof RedisStore | undefined {
  if (url === "memory:") return MemoryStore;
  if (url.startsWith("sqlite:")) return SqliteStore;
  return /^(redis|valkey)[a-z+-]*:/.test(url) ? RedisStore : undefined;
}

function unknownUrl(): ConfigError {
  return invalidOption("store is not the URL of a store");
}

/** Whether an addon has the store already. */
export function isBuiltIn(value: unknown): value is object {
  return owned(value) !== undefined;
}

function owned(value: unknown): Owned | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, NATIVE)) return undefined;
  return Reflect.get(value, NATIVE) as Owned;
}

function isCapacity(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 0xffff_ffff;
}

// A class name that minifiers cannot change.
for (const [name, { prototype }] of Object.entries({ MemoryStore, SqliteStore, RedisStore })) {
  Object.defineProperty(prototype, KIND, { value: name });
}
