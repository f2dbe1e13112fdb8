import { invalidOption } from "./errors.js";
import { native, type NativeStore } from "./native.js";
import { members } from "./text.js";

const NATIVE = Symbol.for("portier-client.store");

/**
 * Keeps pending logins in the memory of this process, and gives each away once.
 *
 * It holds a bounded number and refuses more (`store_full`) rather than drop somebody's login. All
 * its calls take constant time. Clients may share one.
 */
export class MemoryStore {
  /** Makes an empty store; `capacity` is how many logins may be pending, 100,000 by default. */
  constructor(options: { capacity?: number | undefined } = {}) {
    const { capacity } = members(options, ["capacity"]);
    if (capacity !== undefined && !isCapacity(capacity)) {
      throw invalidOption("capacity is not a whole number from 1 to 4294967295");
    }
    Object.defineProperty(this, NATIVE, { value: new native.MemoryStore(capacity) });
  }

  /** Does nothing: a memory store is gone when nobody uses it. For code written for `portier`. */
  destroy(): void {}

  /** Whether `value` is a memory store, of whichever copy of this package. */
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && Object.hasOwn(value, NATIVE);
  }
}

/** What the addon knows the store as. */
export function nativeStore(store: MemoryStore): NativeStore {
  return Reflect.get(store, NATIVE) as NativeStore;
}

function isCapacity(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 0xffff_ffff;
}
