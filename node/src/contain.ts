import { InternalError } from "./errors.js";

/** What a class has that is contained already, by another copy of this package. */
const CONTAINED = Symbol.for("portier-client.contained");

type Callable = (...parameters: unknown[]) => unknown;
type Constructor = new (...parameters: unknown[]) => unknown;

/**
 * Makes whatever the addon throws an {@link InternalError}. The addon returns the failures that it knows;
 * what it throws is a panic, or a value that this package should not have passed to it.
 */
export function contain<Addon extends object>(addon: Addon): Addon {
  const contained: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(addon)) {
    if (typeof value === "function") containMethods((value as Constructor).prototype as object);
    contained[name] = typeof value === "function" ? containFunction(value as Callable & Constructor) : value;
  }
  return contained as Addon;
}

function containFunction(inner: Callable & Constructor): Callable {
  const outer: Callable = function (...parameters) {
    try {
      return new.target ? new inner(...parameters) : inner(...parameters);
    } catch {
      throw defect();
    }
  };
  outer.prototype = inner.prototype;
  return outer;
}

function containMethods(prototype: object): void {
  if (Object.hasOwn(prototype, CONTAINED)) return;
  for (const [name, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (name === "constructor") continue;
    if (get !== undefined) Object.defineProperty(prototype, name, { get: containMethod(get) });
    else if (typeof value === "function") {
      Object.defineProperty(prototype, name, { value: containMethod(value as Callable) });
    }
  }
  Object.defineProperty(prototype, CONTAINED, { value: true });
}

function containMethod(inner: Callable): Callable {
  return function (this: unknown, ...parameters) {
    try {
      return Reflect.apply(inner, this, parameters);
    } catch {
      throw defect();
    }
  };
}

// Without what was thrown: the message of a panic may quote a token.
function defect(): InternalError {
  return new InternalError("a defect in portier-client", { code: "internal" });
}
