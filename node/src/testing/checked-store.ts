import { call } from "../call.js";
import { invalidOption } from "../errors.js";
import { native, type NativeStore, type Outcome } from "../native.js";
import { completions } from "../completions.js";
import type { Store } from "../store/custom.js";
import { typeName } from "../text.js";
import { isBuiltIn, nativeStore, type MemoryStore, type RedisStore, type SqliteStore } from "../store/built-in.js";

const LIMIT_MS = 5000;

/** A store to check: a built-in one, or an object with `put` and `take`. */
export type Checked = MemoryStore | SqliteStore | RedisStore | Store;

/** A broken rule; the text follows the name of the rule in the message. */
export class Broken extends Error {}

/** The store under test; checks what its methods return. */
export class Subject {
  readonly #store: Store;
  readonly #twin: Subject | undefined;

  /** `twin` is another store with the same records, or an independent one. */
  constructor(store: unknown, twin?: unknown) {
    this.#store = withMethods(store);
    this.#twin = twin === undefined ? undefined : new Subject(twin);
  }

  /** The store of another process. */
  get twin(): Subject {
    return this.#twin ?? this;
  }

  async keeps(rule: (store: Subject) => Promise<void>): Promise<void> {
    try {
      await rule(this);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      const words = rule.name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
      const { message, cause } = error;
      throw new Error(`the store breaks a rule: ${words}; ${message}`, cause === undefined ? {} : { cause });
    }
  }

  has(method: "put" | "take" | "contains"): boolean {
    return typeof this.#store[method] === "function";
  }

  async put(nonce: string, record: string, ttlMs = 60_000): Promise<void> {
    const returned = await this.#orBroken("put", nonce, record, ttlMs);
    if (returned !== undefined) throw wrong("put", "undefined", returned);
  }

  async take(nonce: string): Promise<string | null> {
    const returned = await this.#orBroken("take", nonce);
    if (typeof returned === "string") return returned;
    if (returned === undefined || returned === null) return null;
    throw wrong("take", "a string, null or undefined", returned);
  }

  async holds(nonce: string, expected: boolean, when: string): Promise<void> {
    if (!this.has("contains")) return;
    const found = await this.#orBroken("contains", nonce);
    if (typeof found !== "boolean") throw wrong("contains", "a boolean", found);
    if (found !== expected) throw new Broken(`contains returned ${found} ${when}`);
  }

  async refusesToPut(nonce: string, record: string): Promise<boolean> {
    return this.throws("put", nonce, record, 60_000);
  }

  async throws(method: "put" | "take" | "contains", ...given: unknown[]): Promise<boolean> {
    let returned: unknown;
    try {
      returned = await this.#called(method, ...given);
    } catch (error) {
      if (error instanceof Broken) throw error;
      return true;
    }
    if (method === "put" && returned !== undefined) throw wrong("put", "undefined", returned);
    return false;
  }

  async #orBroken(method: "put" | "take" | "contains", ...given: unknown[]): Promise<unknown> {
    try {
      return await this.#called(method, ...given);
    } catch (cause) {
      if (cause instanceof Broken) throw cause;
      throw new Broken(`${method} threw ${typeName(cause)}`, { cause });
    }
  }

  async #called(method: "put" | "take" | "contains", ...given: unknown[]): Promise<unknown> {
    const call = this.#store[method] as (...given: unknown[]) => unknown;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((_, reject) => {
      const problem = `${method} did not answer within ${LIMIT_MS / 1000} seconds`;
      timer = setTimeout(() => reject(new Broken(problem)), LIMIT_MS);
    });
    try {
      return await Promise.race([Reflect.apply(call, this.#store, given), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Built-in stores have no methods in JavaScript: only a client calls them. */
function withMethods(store: unknown): Store {
  if (typeof store !== "object" || store === null) throw invalidOption("makeStore makes no store");
  if (!isBuiltIn(store)) return store as Store;
  const core: NativeStore = nativeStore(store as MemoryStore);
  const run = async <T>(start: () => Outcome<T>): Promise<T> => call(undefined, store, start);
  return {
    put: (nonce, record, ttlMs) => run(() => native.storePut(completions, core, nonce, record, ttlMs)),
    take: (nonce) => run(() => native.storeTake(completions, core, nonce)),
    contains: (nonce) => run(() => native.storeContains(completions, core, nonce)),
  };
}

function wrong(method: string, expected: string, returned: unknown): Broken {
  return new Broken(`${method} returned ${typeName(returned)} instead of ${expected}`);
}
