import { runFor } from "../context.js";
import { ConfigError, invalidOption, isStoreError, type ErrorCode, type StoreError } from "../errors.js";
import { publishEvents } from "../events.js";
import { native, type NativeStoreCalls, type NativeStore, type StoreMethods } from "../native.js";
import { mayBeAwaited, typeName } from "../text.js";
import { keepThrown, takeThrown } from "./thrown.js";

/**
 * Keeps small records until they expire, and returns each exactly once. Any object with these methods is a
 * store. All methods may return a promise.
 *
 * Records are opaque strings. `nonce` is a digest of the login's nonce (43 characters of URL-safe base64), so
 * the contents of the store are not enough to complete a login.
 *
 * If a method takes longer than the client's `storeTimeoutMs` (5 seconds by default), the call fails with
 * `store_unavailable`. If it throws, the exception is the `cause` of a {@link StoreError}. A `StoreError` that
 * it throws is passed on.
 */
export interface Store {
  /** Keeps `record` under `nonce` for `ttlMs` milliseconds. Never replaces a record. */
  put(nonce: string, record: string, ttlMs: number): void | PromiseLike<void>;
  /**
   * Removes the record and returns it, atomically; `null` or `undefined` if there is none. At most one call for a nonce
   * may get the record, even if calls run at the same time. A store that remembers returned records returns
   * `""` for them. The login then fails with `session_used` instead of `session_unknown`.
   */
  take(nonce: string): MaybeRecord | PromiseLike<MaybeRecord>;
  /** Whether there is a record. With this method, forged tokens never make the client fetch keys. */
  contains?(nonce: string): boolean | PromiseLike<boolean>;
}

/** The return value of {@link Store.take}. */
export type MaybeRecord = string | null | undefined;

/** The addon's part of each store; the same for all clients that use the store. */
const stores = new WeakMap<object, NativeStore>();

/** Returns the addon's part of a store. Throws {@link ConfigError} if methods are missing. */
export function customStore(store: object): NativeStore {
  const known = stores.get(store);
  if (known !== undefined) return known;
  const methods = methodsOf(store);
  const calls = new native.StoreCalls();
  // The addon references the function as long as it has the store. The function must not reference the
  // object, which may reference the client, and so the store.
  const created = native.customStore(methods, calls, caller(new WeakRef(store), calls));
  stores.set(store, created);
  return created;
}

/** Whether a store keeps only the nonces of logins, as an `AbstractStore` does. */
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
    throw invalidOption("store.contains is not a method");
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
  /** The id of the client's call in whose context the method runs; `null` if that is the current context. */
  callId?: number | null,
) => void;

/** Creates the function that calls the methods. It never throws. */
function caller(store: WeakRef<object>, calls: NativeStoreCalls): Call {
  const callMethod = (id: number, method: Method, given: unknown[]): void => {
    const failed = (error: unknown): void => rejectThrown(calls, id, method, error);
    const returned = (value: unknown): void => resolveReturned(calls, id, method, value);
    try {
      const object = store.deref();
      if (object === undefined) throw new Error("the store is gone");
      const value: unknown = Reflect.apply(Reflect.get(object, method) as () => unknown, object, given);
      if (!mayBeAwaited(value)) return returned(value);
      // The built-in `then` is used, whatever `then` and `constructor` of the value are.
      new Promise((resolve) => resolve(value)).then(returned, failed);
    } catch (error) {
      failed(error);
    }
  };
  return (_nothing, id, method, first, second, ttlMs, callId) => {
    const given = [first, second, ttlMs].filter((value) => value !== null && value !== undefined);
    // Published before the method makes calls of its own, which would publish them in another context.
    publishEvents(typeof callId !== "number");
    runFor(callId ?? null, () => callMethod(id, method, given));
  };
}

/** For each method, a check of its return value, and the expected type. */
const RETURN_VALUES = {
  put: [(value: unknown) => (value === undefined ? null : INVALID), "undefined"],
  take: [
    (value: unknown) => (typeof value === "string" ? value : (value ?? null) === null ? null : INVALID),
    "a string, null or undefined",
  ],
  contains: [(value: unknown) => (typeof value === "boolean" ? value : INVALID), "a boolean"],
  createNonce: [(value: unknown) => (typeof value === "string" ? value : INVALID), "a string"],
  consumeNonce: [(value: unknown) => (value === undefined ? null : INVALID), "undefined"],
} as const;

const INVALID = Symbol("invalid");

const MAX_RECORD_LENGTH = native.maxRecordLength();

function resolveReturned(calls: NativeStoreCalls, id: number, method: Method, value: unknown): void {
  const [check, expected] = RETURN_VALUES[method];
  const checked = check(value);
  // Messages contain the type, never the value, which may be a record.
  if (checked === INVALID) {
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
  // Such a store throws if it does not know the nonce.
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

/** The code of an error. In a subclass it may be anything, even a getter that throws. */
function codeOf(error: StoreError): unknown {
  try {
    return error.code;
  } catch {
    return undefined;
  }
}
