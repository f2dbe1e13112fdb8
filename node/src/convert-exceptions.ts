import { InternalError } from "./errors.js";

/** Marks a class whose methods another copy of this package has wrapped already. */
const WRAPPED = Symbol.for("portier-client.wrapped");

type Callable = (...parameters: unknown[]) => unknown;
type Constructor = new (...parameters: unknown[]) => unknown;

/**
 * Wraps the functions and classes of the addon, so that everything they throw becomes an
 * {@link InternalError}. The addon returns expected failures; it throws only after a panic, or for an argument
 * that this package should not have passed.
 */
export function convertExceptions<Addon extends object>(addon: Addon): Addon {
  const wrapped: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(addon)) {
    if (typeof value === "function") wrapMethods((value as Constructor).prototype as object);
    wrapped[name] = typeof value === "function" ? wrapFunction(value as Callable & Constructor) : value;
  }
  return wrapped as Addon;
}

function wrapFunction(inner: Callable & Constructor): Callable {
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

function wrapMethods(prototype: object): void {
  if (Object.hasOwn(prototype, WRAPPED)) return;
  for (const [name, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (name === "constructor") continue;
    if (get !== undefined) Object.defineProperty(prototype, name, { get: wrapMethod(get) });
    else if (typeof value === "function") {
      Object.defineProperty(prototype, name, { value: wrapMethod(value as Callable) });
    }
  }
  Object.defineProperty(prototype, WRAPPED, { value: true });
}

function wrapMethod(inner: Callable): Callable {
  return function (this: unknown, ...parameters) {
    try {
      return Reflect.apply(inner, this, parameters);
    } catch {
      throw defect();
    }
  };
}

// Without a cause: the message of a panic may quote a token.
function defect(): InternalError {
  return new InternalError("a defect in portier-client", { code: "internal" });
}
