import { runFor } from "../context.js";
import { ConfigError, invalidOption, isStoreError, type ErrorCode, type StoreError } from "../errors.js";
import { publishEvents } from "../events.js";
import { native, type NativeStoreCalls, type NativeStore, type StoreMethods } from "../native.js";
import { mayBeAwaited, typeName } from "../text.js";
import { keepThrown, takeThrown } from "./thrown.js";

/**
 * Keeps small records until a deadline, and returns each exactly once. Any object with these methods is a store. All
 * of them may return a promise.
 *
 * Records are opaque text. `nonce` is a digest of the login's nonce, 43 characters of URL-safe base64, so nobody can
 * complete a login with the content of a store.
 *
 * If a method takes longer than 5 seconds, or than the client's `storeTimeoutMs`, the call fails with
 * `store_unavailable`. An exception becomes the `cause` of a {@link StoreError}; a `StoreError` is passed on
 * unchanged.
 */
export interface Store {
  /** Stores `record` under `nonce` for this number of milliseconds. Must fail if there is a record already. */
  put(nonce: string, record: string, ttlMs: number): void | PromiseLike<void>;
  /**
   * Removes and returns the record in one step; `null` or `undefined` if there is none. Of any number of calls for
   * one nonce, at most one may get the record. A store that remembers taken records returns `""` for them; the login
   * then fails with `session_used` instead of `session_unknown`.
   */
  take(nonce: string): MaybeRecord | PromiseLike<MaybeRecord>;
  /** Returns whether there is a record. With this method, forged tokens never make the client fetch keys. */
  contains?(nonce: string): boolean | PromiseLike<boolean>;
}

/** The result of {@link Store.take}. */
export type MaybeRecord = string | null | undefined;

/** The addon's part of an object; the same for every client that uses the object. */
const stores = new WeakMap<object, NativeStore>();

/** Makes a store of an object with methods; throws an error that names a missing method. */
export function customStore(store: object): NativeStore {
  const known = stores.get(store);
  if (known !== undefined) return known;
  const methods = methodsOf(store);
  const calls = new native.StoreCalls();
  // The addon holds this function as long as it has the store. The function must not hold the object, which may hold
  // the client, and so the store.
  const made = native.customStore(methods, calls, caller(new WeakRef(store), calls));
  stores.set(store, made);
  return made;
}

/** Whether a store keeps only nonces, like an `AbstractStore`. */
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
  /** The id of the call in whose context the method runs; `null` if the method is called during the call itself. */
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
      // A native promise, whatever `then` and `constructor` of this promise do.
      new Promise((resolve) => resolve(value)).then(returned, failed);
    } catch (error) {
      failed(error);
    }
  };
  return (_nothing, id, method, first, second, ttlMs, callId) => {
    const given = [first, second, ttlMs].filter((value) => value !== null && value !== undefined);
    // The method may make its own calls, in another context, which publish events.
    publishEvents(typeof callId !== "number");
    runFor(callId ?? null, () => callMethod(id, method, given));
  };
}

/** The allowed results of each method, and their names in messages. */
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
  // Shows only types and no value: a value may be a record.
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
  // Such a store rejects if there is no such nonce.
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

/** A subclass may have changed it to anything, even to a getter that throws. */
function codeOf(error: StoreError): unknown {
  try {
    return error.code;
  } catch {
    return undefined;
  }
}
