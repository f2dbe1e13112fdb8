import { InternalError } from "./errors.js";

/** What a class has that is converted already, by another copy of this package. */
const CONVERTED = Symbol.for("portier-client.converted");

type Callable = (...parameters: unknown[]) => unknown;
type Constructor = new (...parameters: unknown[]) => unknown;

/**
 * Makes whatever the addon throws an {@link InternalError}. The addon returns the failures that it knows;
 * what it throws is a panic, or a value that this package should not have passed to it.
 */
export function convertExceptions<Addon extends object>(addon: Addon): Addon {
  const converted: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(addon)) {
    if (typeof value === "function") convertMethods((value as Constructor).prototype as object);
    converted[name] = typeof value === "function" ? convertFunction(value as Callable & Constructor) : value;
  }
  return converted as Addon;
}

function convertFunction(inner: Callable & Constructor): Callable {
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

function convertMethods(prototype: object): void {
  if (Object.hasOwn(prototype, CONVERTED)) return;
  for (const [name, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (name === "constructor") continue;
    if (get !== undefined) Object.defineProperty(prototype, name, { get: convertMethod(get) });
    else if (typeof value === "function") {
      Object.defineProperty(prototype, name, { value: convertMethod(value as Callable) });
    }
  }
  Object.defineProperty(prototype, CONVERTED, { value: true });
}

function convertMethod(inner: Callable): Callable {
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
