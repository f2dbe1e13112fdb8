import { runFor } from "../context.js";
import { ConfigError, invalidOption, isStoreError, type ErrorCode, type StoreError } from "../errors.js";
import { publishEvents } from "../events.js";
import { native, type NativeStoreCalls, type NativeStore, type StoreMethods } from "../native.js";
import { mayBeAwaited, typeName } from "../text.js";
import { keepThrown, takeThrown } from "./thrown.js";

/**
 * Keeps small records until a deadline, and gives each away exactly once. Any object with these
 * methods is a store; all of them may return a promise.
 *
 * Records are opaque text. `nonce` is a digest of the login's nonce, 43 characters of URL-safe
 * base64, so whoever reads the store can complete nobody's login.
 *
 * A method that takes longer than 5 seconds, or than the client's `storeTimeoutMs`, makes the call
 * fail with `store_unavailable`. What it throws is the `cause` of a {@link StoreError}; a `StoreError`
 * of its own is thrown as it is.
 */
export interface Store {
  /** Keeps `record` under `nonce` for so many milliseconds. Never replaces one that is there. */
  put(nonce: string, record: string, ttlMs: number): void | PromiseLike<void>;
  /**
   * Removes the record and returns it, in one step; `null` or `undefined` if there is none. Of any
   * number of calls for one nonce, at most one may get the record. A store that remembers which
   * records it gave away returns `""` for such a one, so that the login fails with `session_used`
   * rather than `session_unknown`.
   */
  take(nonce: string): MaybeRecord | PromiseLike<MaybeRecord>;
  /** Whether a record waits there. With it, forged tokens can never make the client fetch keys. */
  contains?(nonce: string): boolean | PromiseLike<boolean>;
}

/** What {@link Store.take} gives. */
export type MaybeRecord = string | null | undefined;

/** What the addon knows an object as; the same for every client that uses it. */
const stores = new WeakMap<object, NativeStore>();

/** Makes a store of an object with methods, or says what it lacks. */
export function customStore(store: object): NativeStore {
  const known = stores.get(store);
  if (known !== undefined) return known;
  const methods = methodsOf(store);
  const calls = new native.StoreCalls();
  // The addon holds the function for as long as it has the store. The function must not hold the
  // object: that may hold the client, and so the store.
  const made = native.customStore(methods, calls, caller(new WeakRef(store), calls));
  stores.set(store, made);
  return made;
}

/** Whether a store keeps the nonces of logins and nothing else, as an `AbstractStore` does. */
export function keepsNoncesOnly(store: unknown): boolean {
  const has = (name: string): boolean => typeof Reflect.get(Object(store), name) === "function";
  return has("createNonce") && !(has("put") && has("take"));
}

function methodsOf(store: object): StoreMethods {
  try {
    return readMethods(store);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const message = `store has a member that cannot be read type=${typeName(cause)}`;
    throw new ConfigError(message, { code: "invalid_option", cause });
  }
}

function readMethods(store: object): StoreMethods {
  const has = (name: string): boolean => typeof Reflect.get(store, name) === "function";
  if (has("put") && has("take")) {
    if (has("contains")) return "recordsAndContains";
    if (Reflect.get(store, "contains") === undefined) return "records";
    throw invalidOption("store has a contains that is no method");
  }
  if (has("createNonce") && has("consumeNonce")) return "nonces";
  throw invalidOption("store has neither put and take nor createNonce and consumeNonce");
}

type Method = keyof typeof RETURN_VALUES;
type Call = (
  nothing: null,
  id: number,
  method: Method,
  first: string,
  second: string | null,
  ttlMs: number | null,
  /** Of the call in whose context the method belongs; `null` if this is called in it. */
  callId?: number | null,
) => void;

/** The function that calls the methods. It never throws. */
function caller(store: WeakRef<object>, calls: NativeStoreCalls): Call {
  const callMethod = (id: number, method: Method, given: unknown[]): void => {
    const failed = (error: unknown): void => rejectThrown(calls, id, method, error);
    const returned = (value: unknown): void => resolveReturned(calls, id, method, value);
    try {
      const object = store.deref();
      if (object === undefined) throw new Error("the store is gone");
      const value: unknown = Reflect.apply(Reflect.get(object, method) as () => unknown, object, given);
      if (!mayBeAwaited(value)) return returned(value);
      // A promise of the language's own, whatever `then` and `constructor` of this one do.
      new Promise((resolve) => resolve(value)).then(returned, failed);
    } catch (error) {
      failed(error);
    }
  };
  return (_nothing, id, method, first, second, ttlMs, callId) => {
    const given = [first, second, ttlMs].filter((value) => value !== null && value !== undefined);
    // The method may make calls of its own, in another context, which publish what has happened.
    publishEvents(typeof callId !== "number");
    runFor(callId ?? null, () => callMethod(id, method, given));
  };
}

/** What each method may return, and in words. */
const RETURN_VALUES = {
  put: [(value: unknown) => (value === undefined ? null : WRONG), "undefined"],
  take: [
    (value: unknown) => (typeof value === "string" ? value : (value ?? null) === null ? null : WRONG),
    "a string, null or undefined",
  ],
  contains: [(value: unknown) => (typeof value === "boolean" ? value : WRONG), "a boolean"],
  createNonce: [(value: unknown) => (typeof value === "string" ? value : WRONG), "a string"],
  consumeNonce: [(value: unknown) => (value === undefined ? null : WRONG), "undefined"],
} as const;

const WRONG = Symbol("wrong");

const MAX_RECORD_LENGTH = native.maxRecordLength();

function resolveReturned(calls: NativeStoreCalls, id: number, method: Method, value: unknown): void {
  const [reader, expected] = RETURN_VALUES[method];
  const checked = reader(value);
  // Types only, never a value: it may be a record.
  if (checked === WRONG) {
    const problem = `the store returned something else than ${expected}`;
    return reject(calls, id, "store_failed", `${problem} method=${method} type=${typeName(value)}`);
  }
  if (typeof checked === "string" && checked.length > MAX_RECORD_LENGTH) {
    const problem = "the store returned a longer string than any record";
    return reject(calls, id, "store_failed", `${problem} method=${method} limit=${MAX_RECORD_LENGTH}`);
  }
  if (typeof checked === "string" && !checked.isWellFormed()) {
    const problem = "the store returned a string with a lone surrogate";
    return reject(calls, id, "store_failed", `${problem} method=${method}`);
  }
  calls.resolve(id, checked);
}

function rejectThrown(calls: NativeStoreCalls, id: number, method: Method, error: unknown): void {
  keepThrown(id, error);
  const own = storeErrorCode(error);
  if (own !== undefined) return reject(calls, id, own, "the store raised a StoreError", true);
  // That is how such a store says that there is no such nonce.
  const code = method === "consumeNonce" ? "session_unknown" : "store_failed";
  const message =
    method === "consumeNonce"
      ? "the store did not accept the nonce"
      : "the store raised an exception";
  reject(calls, id, code, `${message} method=${method} type=${typeName(error)}`, true);
}

function reject(calls: NativeStoreCalls, id: number, code: ErrorCode, message: string, thrown = false): void {
  for (const forgotten of calls.reject(id, code, message, thrown)) takeThrown(forgotten);
}

function storeErrorCode(error: unknown): ErrorCode | undefined {
  if (!isStoreError(error)) return undefined;
  const code = codeOf(error);
  return code === "store_unavailable" || code === "store_full" ? code : "store_failed";
}

/** A subclass may have made it anything, even something that throws. */
function codeOf(error: StoreError): unknown {
  try {
    return error.code;
  } catch {
    return undefined;
  }
}
