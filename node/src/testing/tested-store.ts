import { call } from "../call.js";
import { invalidOption } from "../errors.js";
import { native, type NativeStore, type Outcome } from "../native.js";
import { completions } from "../completions.js";
import type { Store } from "../store/custom.js";
import { typeName } from "../text.js";
import { isBuiltIn, nativeStore, type MemoryStore, type RedisStore, type SqliteStore } from "../store/built-in.js";
import { within } from "./limit.js";

const LIMIT_MS = 5000;

/** A store of this package, or an object with `put` and `take`. */
export type StoreToCheck = MemoryStore | SqliteStore | RedisStore | Store;

/** The violation of a rule. The message follows the name of the rule. */
export class RuleViolation extends Error {}

/** A store whose return values are checked. */
export class TestedStore {
  readonly #store: Store;
  readonly #twin: TestedStore | undefined;

  /** `twin` is a second store, which may share the records. */
  constructor(store: unknown, twin?: unknown) {
    this.#store = withMethods(store);
    this.#twin = twin === undefined ? undefined : new TestedStore(twin);
  }

  /** The store of the other process. */
  get twin(): TestedStore {
    return this.#twin ?? this;
  }

  async keeps(rule: (store: TestedStore) => Promise<void>): Promise<void> {
    try {
      await rule(this);
    } catch (error) {
      if (!(error instanceof RuleViolation)) throw error;
      const words = rule.name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
      const { message, cause } = error;
      throw new Error(`the store breaks a rule: ${words}; ${message}`, cause === undefined ? {} : { cause });
    }
  }

  has(method: "put" | "take" | "contains"): boolean {
    return typeof this.#store[method] === "function";
  }

  async put(nonce: string, record: string, ttlMs = 60_000): Promise<void> {
    const returned = await this.#checkedCall("put", nonce, record, ttlMs);
    if (returned !== undefined) throw wrong("put", "undefined", returned);
  }

  async take(nonce: string): Promise<string | null> {
    const returned = await this.#checkedCall("take", nonce);
    if (typeof returned === "string") return returned;
    if (returned === undefined || returned === null) return null;
    throw wrong("take", "a string, null or undefined", returned);
  }

  async holds(nonce: string, expected: boolean, when: string): Promise<void> {
    if (!this.has("contains")) return;
    const found = await this.#checkedCall("contains", nonce);
    if (typeof found !== "boolean") throw wrong("contains", "a boolean", found);
    if (found !== expected) throw new RuleViolation(`contains returned ${found} ${when}`);
  }

  async refusesToPut(nonce: string, record: string): Promise<boolean> {
    return this.throws("put", nonce, record, 60_000);
  }

  async throws(method: "put" | "take" | "contains", ...given: unknown[]): Promise<boolean> {
    let returned: unknown;
    try {
      returned = await this.#call(method, ...given);
    } catch (error) {
      if (error instanceof RuleViolation) throw error;
      return true;
    }
    if (method === "put" && returned !== undefined) throw wrong("put", "undefined", returned);
    return false;
  }

  async #checkedCall(method: "put" | "take" | "contains", ...given: unknown[]): Promise<unknown> {
    try {
      return await this.#call(method, ...given);
    } catch (cause) {
      if (cause instanceof RuleViolation) throw cause;
      throw new RuleViolation(`${method} threw ${typeName(cause)}`, { cause });
    }
  }

  async #call(method: "put" | "take" | "contains", ...given: unknown[]): Promise<unknown> {
    const call = this.#store[method] as (...given: unknown[]) => unknown;
    const late = () => new RuleViolation(`${method} did not answer within ${LIMIT_MS / 1000} seconds`);
    return within(Promise.resolve(Reflect.apply(call, this.#store, given)), LIMIT_MS, late);
  }
}

/** Adds methods to a store of this package, which has none: only clients call it. */
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

function wrong(method: string, expected: string, returned: unknown): RuleViolation {
  return new RuleViolation(`${method} returned ${typeName(returned)} instead of ${expected}`);
}
